package simulate

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// reader reads forecasts and observations with Python's netCDF4 and prints
// dimensions, extremes and the attribute "simulated".
const reader = `
import sys, netCDF4
for path in sys.argv[1:]:
    with netCDF4.Dataset(path) as d:
        v = d["t2m"]
        x = v[:]
        assert 220 < x.min() < x.max() < 330, (path, x.min(), x.max())
        print(",".join(v.dimensions), "x".join(map(str, v.shape)), x.count(), d.simulated, v.units, v.standard_name)
`

func TestOtherToolsReadTheFiles(t *testing.T) {
	python, err := exec.LookPath("/usr/bin/python3")
	if err != nil || exec.Command(python, "-c", "import netCDF4").Run() != nil {
		t.Skip("no Python with netCDF4")
	}
	cases := []struct {
		layout Layout
		files  [2]string
		want   [2]string
	}{
		{Cycle, [2]string{"forecasts/2020/01/fc_2020010100.nc", "observations/obs_202001.nc"}, [2]string{
			"number,step,station 4x5x6 120 lorenz96 K air_temperature",
			"time,station 3x6 18 lorenz96 K air_temperature", // 00, 12, 00 UTC
		}},
		{Grid, [2]string{"forecasts/2020/01/fc_2020010100.nc", "observations/obs_202001.nc"}, [2]string{
			"number,step,latitude,longitude 4x5x1x6 120 lorenz96 K air_temperature",
			"time,latitude,longitude 3x1x6 18 lorenz96 K air_temperature",
		}},
		{EUPP, [2]string{"forecasts/forecasts.nc", "observations/observations.nc"}, [2]string{
			"station_id,time,step,number 6x2x5x4 240 lorenz96 K air_temperature",
			"station_id,time,step 6x2x5 12 lorenz96 K air_temperature", // 12 and 24 h of the first cycle
		}},
	}
	for _, c := range cases {
		t.Run(string(c.layout), func(t *testing.T) {
			o := small(t.TempDir(), "2020-01-01", "2020-01-02")
			o.Layout, o.Missing = c.layout, 0
			simulated(t, o)
			paths := []string{"-c", reader}
			for _, name := range c.files {
				paths = append(paths, filepath.Join(o.Dir, "archive", name))
			}
			out, err := exec.Command(python, paths...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			for i, want := range c.want {
				if lines[i] != want {
					t.Errorf("%s: %q, want %q", c.files[i], lines[i], want)
				}
			}
			dump, err := exec.LookPath("ncdump")
			if err != nil {
				t.Skip("no ncdump")
			}
			for _, path := range append(paths[2:], filepath.Join(o.Dir, truthFile)) {
				out, err := exec.Command(dump, "-h", path).CombinedOutput()
				if err != nil || !strings.Contains(string(out), `:simulated = "lorenz96"`) {
					t.Errorf("ncdump -h %s: %v\n%s", path, err, out)
				}
			}
		})
	}
}
