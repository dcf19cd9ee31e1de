package report

import "testing"

func TestScoreFigures(t *testing.T) {
	rain := Variable{Name: "tp", LongName: "12-h precipitation", Units: "kg m-2"}
	for _, make := range []func() (*Figure, error){
		func() (*Figure, error) { return ByLead(temperature, systems, exampleLeads()) },
		func() (*Figure, error) { return Daily(temperature, systems, exampleDays(30)) },
		func() (*Figure, error) { return StationMap(temperature, systems[3], systems[1], exampleStations(400)) },
		func() (*Figure, error) { return Reliability(rain, systems, exampleEvents()) },
		func() (*Figure, error) { return SpreadSkill(temperature, systems, exampleSpread()) },
	} {
		f, err := make()
		if err != nil {
			t.Fatal(err)
		}
		keepFigure(t, f)
	}
}
