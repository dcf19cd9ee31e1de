package simulate

import (
	"context"
	"fmt"
	"time"

	"sipipe/ingest/ncio"
)

// euppSheet has what the forecast and the observation file of EUPPBench share:
// integer dimension coordinates without standard names, stations by number.
// prefix is put before the names of the stations' coordinates.
func (a *archive) euppSheet(title, prefix string) (s *sheet, coordinates string) {
	s = &sheet{attrs: a.attrs(title, "made")}
	n := a.Len()
	ids, names := number[int64](n), make([]string, n)
	for i := range ids {
		ids[i]++
		names[i] = fmt.Sprintf("SIMULATED %07d", ids[i])
	}
	hours, cycles := make([]int64, len(a.leads)), make([]int64, len(a.cycles))
	for i, lead := range a.leads {
		hours[i] = int64(lead / time.Hour)
	}
	for i, c := range a.cycles {
		cycles[i] = c.Unix()
	}
	s.dim("station_id", n)
	s.dim("time", len(cycles))
	s.dim("step", len(hours))
	s.dim("strlen", len(names[0]))
	s.add("station_id", []string{"station_id"}, ids)
	s.add("time", []string{"time"}, cycles, text("standard_name", "forecast_reference_time"),
		text("units", "seconds since 1970-01-01"), text("calendar", "proleptic_gregorian"))
	s.add("step", []string{"step"}, hours, text("units", "hours"))
	station := []string{"station_id"}
	s.add("station_name", []string{"station_id", "strlen"}, names)
	s.add(prefix+"latitude", station, a.Latitude, text("units", "degrees_north"))
	s.add(prefix+"longitude", station, a.Longitude, text("units", "degrees_east"))
	s.add(prefix+"altitude", station, a.Altitude, text("units", "m"))
	return s, "station_name " + prefix + "latitude " + prefix + "longitude " + prefix + "altitude"
}

// euppFile is one of the two files: its data are [station_id, time, step] and,
// when members > 0, [number]. Cycles are written in blocks that fill a chunk.
type euppFile struct {
	path        string
	sheet       *sheet
	coordinates string
	members     int // 0 for observations
	// cycle fills slab, [variable][(station*steps + step)*max(1, members) + member].
	cycle func(ctx context.Context, cycle time.Time, slab [][]float32) error
}

func (a *archive) writeEUPP(ctx context.Context, e euppFile) error {
	n, steps, width := a.Len(), len(a.leads), max(1, e.members)
	block := min(len(a.cycles), max(1, chunkValues/(n*steps*width)))
	dims := []string{"station_id", "time", "step"}
	chunks := []int{min(n, max(1, chunkValues/(block*steps*width))), block, steps}
	shape := []int{n, block, steps}
	if e.members > 0 {
		e.sheet.dim("number", e.members)
		e.sheet.add("number", []string{"number"}, number[int64](e.members))
		dims, chunks, shape = append(dims, "number"), append(chunks, width), append(shape, width)
	}
	for _, q := range a.quantities {
		e.sheet.addStreamed(q.variable(), dims, chunks, blank, e.coordinates)
	}
	return pathError(e.path, ncio.WriteAtomic(ctx, e.path, func(f *ncio.File) error {
		if err := e.sheet.write(f); err != nil {
			return err
		}
		row := steps * width // values of one station and cycle
		one, many := a.slab(n*row), a.slab(n*block*row)
		for from := 0; from < len(a.cycles); from += block {
			part := a.cycles[from:min(from+block, len(a.cycles))]
			for c, cycle := range part {
				if err := e.cycle(ctx, cycle, one); err != nil {
					return err
				}
				for v := range one {
					for i := range n {
						copy(many[v][(i*len(part)+c)*row:][:row], one[v][i*row:])
					}
				}
				a.done()
			}
			start := make([]int, len(shape))
			start[1], shape[1] = from, len(part)
			for v, q := range a.quantities {
				if err := f.WriteFloat32s(q.variable().Name, start, shape, many[v][:n*len(part)*row]); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// writeEUPPForecasts writes all cycles to one file, [station_id, time, step, number].
func (a *archive) writeEUPPForecasts(ctx context.Context, path string, ideal bool) error {
	members, title := a.Members, titleForecasts
	if ideal {
		members, title = a.Ideal, titleIdeal
	}
	s, coordinates := a.euppSheet(title, "station_")
	s.add("model_altitude", []string{"station_id"}, a.ModelAltitude, text("units", "m"))
	valid := make([]int64, 0, len(a.cycles)*len(a.leads))
	for _, c := range a.cycles {
		for _, lead := range a.leads {
			valid = append(valid, c.Add(lead).Unix())
		}
	}
	s.add("valid_time", []string{"time", "step"}, valid, text("standard_name", "time"),
		text("units", "seconds since 1970-01-01"), text("calendar", "proleptic_gregorian"))
	n, steps := a.Len(), len(a.leads)
	return a.writeEUPP(ctx, euppFile{
		path: path, sheet: s, coordinates: "valid_time model_altitude " + coordinates, members: members,
		cycle: func(ctx context.Context, cycle time.Time, dst [][]float32) error {
			return a.forecast(ctx, cycle, ideal, func(lead int, slab [][]float32) error {
				for v := range slab {
					for i := range n {
						row := dst[v][(i*steps+lead)*members:][:members]
						for m := range row {
							row[m] = slab[v][m*n+i]
						}
					}
				}
				return nil
			})
		},
	})
}

// writeEUPPObservations writes the observations paired with the forecasts,
// [station_id, time, step]; those after the last cycle are missing.
func (a *archive) writeEUPPObservations(ctx context.Context, path string) error {
	s, coordinates := a.euppSheet(titleObservations, "")
	n, steps := a.Len(), len(a.leads)
	slab, seen := a.slab(n), newSignal(n)
	counted := a.cycles[0] // latest valid time that is counted already
	return a.writeEUPP(ctx, euppFile{
		path: path, sheet: s, coordinates: coordinates,
		cycle: func(ctx context.Context, cycle time.Time, dst [][]float32) error {
			for lead := range steps {
				valid := cycle.Add(a.leads[lead])
				known := !valid.After(a.last())
				if known {
					a.observe(slab, seen, valid, blank, valid.After(counted))
				}
				if known && valid.After(counted) {
					counted = valid
				}
				for v := range dst {
					for i := range n {
						dst[v][i*steps+lead] = blank
						if known {
							dst[v][i*steps+lead] = slab[v][i]
						}
					}
				}
			}
			return ctx.Err()
		},
	})
}
