package simulate

import (
	"context"
	"path/filepath"
	"time"

	"sipipe/ingest/ncio"
)

// cyclePath is the forecast file of a cycle below root.
func cyclePath(root string, cycle time.Time) string {
	return filepath.Join(root, cycle.Format("2006/01"), "fc_"+cycle.Format("2006010215")+".nc")
}

// horizontal are the dimensions of places and their lengths.
func (a *archive) horizontal() (names []string, shape []int) {
	if g := a.Grid; g != nil {
		return []string{g.YName, g.XName}, []int{g.NY, g.NX}
	}
	return []string{"station"}, []int{a.Len()}
}

// addPlaces adds the coordinates of places and returns the attribute
// "coordinates" that names those that need naming.
func (a *archive) addPlaces(s *sheet) (coordinates string) {
	dims, shape := a.horizontal()
	for i, name := range dims {
		s.dim(name, shape[i])
	}
	lat, lon := a.Latitude, a.Longitude
	latDims, lonDims := dims, dims
	if g := a.Grid; g != nil {
		lat, lon = make([]float64, g.NY), a.Longitude[:g.NX]
		for y := range lat {
			lat[y] = a.Latitude[y*g.NX]
		}
		latDims, lonDims = dims[:1], dims[1:]
		coordinates = "altitude model_altitude"
	} else {
		s.dim("strlen", longest(a.ID))
		s.add("station_id", []string{"station", "strlen"}, a.ID,
			text("cf_role", "timeseries_id"), text("long_name", "station identifier"))
		coordinates = "station_id latitude longitude altitude model_altitude"
	}
	s.add("latitude", latDims, narrow(lat), text("standard_name", "latitude"), text("units", "degrees_north"))
	s.add("longitude", lonDims, narrow(lon), text("standard_name", "longitude"), text("units", "degrees_east"))
	s.add("altitude", dims, narrow(a.Altitude), text("standard_name", "surface_altitude"), text("units", "m"))
	s.add("model_altitude", dims, narrow(a.ModelAltitude), text("long_name", "height of the raw model's ground"), text("units", "m"))
	return coordinates
}

// writeCycle writes the forecast file of one cycle, [number, step, places].
func (a *archive) writeCycle(ctx context.Context, root string, cycle time.Time, ideal bool) error {
	members, title := a.Members, titleForecasts
	if ideal {
		members, title = a.Ideal, titleIdeal
	}
	hours := make([]float64, len(a.leads))
	valid := make([]time.Time, len(a.leads))
	for i, lead := range a.leads {
		hours[i], valid[i] = lead.Hours(), cycle.Add(lead)
	}
	var s sheet
	s.attrs = a.attrs(title, "made")
	s.dim("number", members)
	s.dim("step", len(a.leads))
	s.add("number", []string{"number"}, number[int32](members), text("standard_name", "realization"), text("units", "1"))
	s.add("time", nil, []float64{float64(cycle.Unix())},
		text("standard_name", "forecast_reference_time"), text("units", epochUnits), text("calendar", "standard"))
	s.add("step", []string{"step"}, hours, text("standard_name", "forecast_period"), text("units", "hours"))
	s.add("valid_time", []string{"step"}, seconds(valid),
		text("standard_name", "time"), text("units", epochUnits), text("calendar", "standard"))
	coordinates := "time valid_time " + a.addPlaces(&s)
	dims, shape := a.horizontal()
	chunks := append([]int{min(members, max(1, chunkValues/a.Len())), 1}, shape...)
	for _, q := range a.quantities {
		s.addStreamed(q.variable(), append([]string{"number", "step"}, dims...), chunks, defaultFill, coordinates)
	}
	path := cyclePath(root, cycle)
	return pathError(path, ncio.WriteAtomic(ctx, path, func(f *ncio.File) error {
		if err := s.write(f); err != nil {
			return err
		}
		return a.forecast(ctx, cycle, ideal, func(lead int, slab [][]float32) error {
			start := append([]int{0, lead}, make([]int, len(shape))...)
			count := append([]int{members, 1}, shape...)
			for v, q := range a.quantities {
				if err := f.WriteFloat32s(q.variable().Name, start, count, slab[v]); err != nil {
					return err
				}
			}
			return nil
		})
	}))
}

// months splits ascending times by calendar month.
func months(times []time.Time) [][]time.Time {
	var list [][]time.Time
	for i, t := range times {
		if i == 0 || t.Month() != times[i-1].Month() {
			list = append(list, nil)
		}
		list[len(list)-1] = append(list[len(list)-1], t)
	}
	return list
}

// writeMonth writes the observations of one month, [time, places].
func (a *archive) writeMonth(ctx context.Context, root string, times []time.Time) error {
	var s sheet
	s.attrs = a.attrs(titleObservations, "made")
	s.dim("time", len(times))
	s.add("time", []string{"time"}, seconds(times),
		text("standard_name", "time"), text("units", epochUnits), text("calendar", "standard"))
	coordinates := a.addPlaces(&s)
	dims, shape := a.horizontal()
	chunks := append([]int{1}, shape...)
	for _, q := range a.quantities {
		s.addStreamed(q.variable(), append([]string{"time"}, dims...), chunks, defaultFill, coordinates)
	}
	path := filepath.Join(root, "obs_"+times[0].Format("200601")+".nc")
	return pathError(path, ncio.WriteAtomic(ctx, path, func(f *ncio.File) error {
		if err := s.write(f); err != nil {
			return err
		}
		slab, seen := a.slab(a.Len()), newSignal(a.Len())
		for i, valid := range times {
			if err := ctx.Err(); err != nil {
				return err
			}
			a.observe(slab, seen, valid, defaultFill, true)
			start := append([]int{i}, make([]int, len(shape))...)
			count := append([]int{1}, shape...)
			for v, q := range a.quantities {
				if err := f.WriteFloat32s(q.variable().Name, start, count, slab[v]); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// slab allocates n values for each variable.
func (a *archive) slab(n int) [][]float32 {
	s := make([][]float32, len(a.quantities))
	for v := range s {
		s[v] = make([]float32, n)
	}
	return s
}
