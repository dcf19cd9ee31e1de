package export

import (
	"math"
	"strings"

	"sipipe/ingest/ncio"
)

// where defines the places.
func (w *writer) where() error {
	if w.places.Grid != nil {
		return w.grid()
	}
	return w.stations()
}

func (w *writer) stations() error {
	p := w.places
	w.spatial = []string{"station"}
	if err := w.nc.AddDim("station", p.Len()); err != nil {
		return err
	}
	if err := w.text("station_id", p.ID, []ncio.Attr{
		{Name: "cf_role", Value: "timeseries_id"},
		{Name: "standard_name", Value: "platform_id"},
		{Name: "long_name", Value: "station identifier"},
	}); err != nil {
		return err
	}
	if p.Name != nil {
		if err := w.text("station_name", p.Name, []ncio.Attr{
			{Name: "standard_name", Value: "platform_name"},
			{Name: "long_name", Value: "station name"},
		}); err != nil {
			return err
		}
	}
	return w.position("latitude", "longitude", w.spatial, w.spatial, p.Latitude, p.Longitude)
}

// text defines a char variable (station, length): strings of NetCDF-4 are unknown to
// classic readers.
func (w *writer) text(name string, values []string, attrs []ncio.Attr) error {
	width := 1
	for _, s := range values {
		width = max(width, len(s))
		if strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) {
			attrs = append(attrs[:len(attrs):len(attrs)], ncio.Attr{Name: "_Encoding", Value: "utf-8"})
			break
		}
	}
	for _, s := range values {
		width = max(width, len(s))
	}
	if err := w.nc.AddDim(name+"_strlen", width); err != nil {
		return err
	}
	w.data = append(w.data, func() error { return w.nc.WriteStrings(name, values) })
	return w.nc.AddVar(ncio.VarDef{Name: name, Type: ncio.Char, Dims: []string{"station", name + "_strlen"}, Attrs: attrs})
}

// grid defines the two dimensions of a grid by the names that they have in the input.
// On a regular one, latitude and longitude are axes when the dimensions are named
// after them.
func (w *writer) grid() error {
	p, g := w.places, w.places.Grid
	w.spatial = []string{g.YName, g.XName}
	if err := w.nc.AddDim(g.YName, g.NY); err != nil {
		return err
	}
	if err := w.nc.AddDim(g.XName, g.NX); err != nil {
		return err
	}
	if g.Curvilinear {
		return w.position("latitude", "longitude", w.spatial, w.spatial, p.Latitude, p.Longitude)
	}
	latitude, longitude := make([]float64, g.NY), make([]float64, g.NX)
	for j := range latitude {
		latitude[j] = p.Latitude[j*g.NX]
	}
	copy(longitude, p.Longitude[:g.NX])
	name := func(dim, standard, short string) string {
		if dim == short {
			return short
		}
		return standard
	}
	return w.position(name(g.YName, "latitude", "lat"), name(g.XName, "longitude", "lon"),
		w.spatial[:1], w.spatial[1:], latitude, longitude)
}

// position defines latitude, longitude and, where known, altitudes.
func (w *writer) position(latitude, longitude string, latDims, lonDims []string, lat, lon []float64) error {
	axis := func(name string, dims []string, letter string) []ncio.Attr {
		if len(dims) == 1 && dims[0] == name {
			return []ncio.Attr{{Name: "axis", Value: letter}}
		}
		return nil
	}
	p := w.places
	for _, c := range []struct {
		name   string
		dims   []string
		values []float64
		attrs  []ncio.Attr
	}{
		{latitude, latDims, lat, append([]ncio.Attr{
			{Name: "standard_name", Value: "latitude"},
			{Name: "long_name", Value: "latitude"},
			{Name: "units", Value: "degrees_north"},
		}, axis(latitude, latDims, "Y")...)},
		{longitude, lonDims, lon, append([]ncio.Attr{
			{Name: "standard_name", Value: "longitude"},
			{Name: "long_name", Value: "longitude"},
			{Name: "units", Value: "degrees_east"},
		}, axis(longitude, lonDims, "X")...)},
		{"altitude", w.spatial, known(p.Altitude), []ncio.Attr{
			{Name: "standard_name", Value: "surface_altitude"},
			{Name: "long_name", Value: "altitude of the place"},
			{Name: "units", Value: "m"},
		}},
		{"model_altitude", w.spatial, known(p.ModelAltitude), []ncio.Attr{
			{Name: "long_name", Value: "altitude of the place in the orography of the raw model"},
			{Name: "units", Value: "m"},
		}},
	} {
		if c.values == nil {
			continue
		}
		if err := w.number(c.name, c.dims, c.values, c.attrs); err != nil {
			return err
		}
	}
	return nil
}

// known is x, or nil when all of it is missing.
func known(x []float64) []float64 {
	for _, v := range x {
		if v == v {
			return x
		}
	}
	return nil
}

// number defines a coordinate as float when that holds its values exactly, as it
// does when the input had floats, and as double otherwise.
func (w *writer) number(name string, dims []string, values []float64, attrs []ncio.Attr) error {
	exact, missing := true, false
	for _, v := range values {
		if v != v {
			missing = true
			continue
		}
		exact = exact && float64(float32(v)) == v
	}
	d := ncio.VarDef{Name: name, Dims: dims, Attrs: attrs}
	if exact {
		d.Type = ncio.Float
		if missing {
			d.Fill = fillValue
		}
		out := make([]float32, len(values))
		for i, v := range values {
			if out[i] = float32(v); v != v {
				out[i] = fillValue
			}
		}
		w.data = append(w.data, func() error { return w.nc.WriteFloat32s(name, nil, nil, out) })
		return w.nc.AddVar(d)
	}
	d.Type = ncio.Double
	const fill = 9.969209968386869e+36
	if missing {
		d.Fill = fill
	}
	out := make([]float64, len(values))
	for i, v := range values {
		if out[i] = v; math.IsNaN(v) {
			out[i] = fill
		}
	}
	w.data = append(w.data, func() error { return w.nc.WriteFloat64s(name, nil, nil, out) })
	return w.nc.AddVar(d)
}
