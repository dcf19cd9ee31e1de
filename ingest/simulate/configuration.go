package simulate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// configuration is the sipipe.yaml that reads the archive.
func (a *archive) configuration() string {
	forecasts := forecastsFolder + "/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc"
	observations := observationsFolder + "/obs_*.nc"
	if a.Layout == EUPP {
		forecasts, observations = forecastsFolder+"/forecasts.nc", observationsFolder+"/observations.nc"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Reads the simulated archive beside it (sipipe simulate, kind %s, layout %s, seed %d).\n", a.Kind, a.Layout, a.Seed)
	fmt.Fprintf(&b, "# Try: sipipe run --date %s\n", a.example())
	fmt.Fprintf(&b, "ingest:\n  forecasts: %q\n  observations: %q\n", forecasts, observations)
	fmt.Fprintf(&b, "variables: [%s]\n", strings.Join(a.Variables, ", "))
	fmt.Fprintf(&b, "calibrate:\n  members: 50\n  seed: 1\n")
	fmt.Fprintf(&b, "export:\n  path: %q\n", "out/{date:%Y/%m/%d}/sipipe_{date:%Y%m%d%H}.nc")
	fmt.Fprintf(&b, "state: state\n")
	return b.String()
}

// example is the day of a cycle that is worth running: two days before the last,
// so that observations to verify it are there.
func (a *archive) example() string {
	return a.cycles[max(0, len(a.cycles)-1-2*len(a.CycleHours))].Format("2006-01-02")
}

// writeConfiguration writes sipipe.yaml; one that was there and differs is kept
// as sipipe.yaml.old, since its owner may have changed it.
func (a *archive) writeConfiguration(context.Context) error {
	path := filepath.Join(a.Dir, configurationFile)
	want := []byte(a.configuration())
	if have, err := os.ReadFile(path); err == nil && string(have) != string(want) {
		if err := os.Rename(path, path+".old"); err != nil {
			return fmt.Errorf("keep the earlier configuration: %w", err)
		}
	}
	return pathError(path, renameio.WriteFile(path, want, 0o644))
}
