package ingest

import (
	"errors"
	"strings"
	"testing"

	"sipipe/ingest/ncio"
)

// variables makes descriptions from "name(dim=2,dim=3) attr=value; attr=value".
func variables(specs ...string) []ncio.Var {
	var out []ncio.Var
	for _, s := range specs {
		head, attrs, _ := strings.Cut(s, " ")
		name, dims, _ := strings.Cut(strings.TrimSuffix(head, ")"), "(")
		v := ncio.Var{Name: name, Type: ncio.Float}
		if rest, ok := strings.CutPrefix(name, "char:"); ok {
			v.Name, v.Type = rest, ncio.Char
		}
		for _, d := range strings.Split(dims, ",") {
			if d == "" {
				continue
			}
			dim, n, _ := strings.Cut(d, "=")
			length := 0
			for _, c := range n {
				length = 10*length + int(c-'0')
			}
			v.Dims = append(v.Dims, ncio.Dim{Name: dim, Len: length})
		}
		for _, a := range strings.Split(attrs, ";") {
			if key, value, ok := strings.Cut(strings.TrimSpace(a), "="); ok {
				v.Attrs = append(v.Attrs, ncio.Attr{Name: key, Value: value})
			}
		}
		out = append(out, v)
	}
	return out
}

func TestResolve(t *testing.T) {
	tests := []struct {
		name  string
		vars  []string // the first is resolved
		dims  map[string]string
		roles string // of its dimensions, or "error: part of the message"
	}{
		{"names alone", []string{"v(number=2,time=2,step=2,station=2)"}, nil, "member cycle lead station"},
		{"time without lead is the valid time", []string{"v(time=2,station=2)"}, nil, "valid station"},
		{"standard name before name", []string{"v(time=2,step=3)", "time(time=2) standard_name=realization", "step(step=3) standard_name=forecast_reference_time"}, nil, "member cycle"},
		{"time of standard name time with lead is the cycle", []string{"v(time=2,step=2,x=3,y=3)", "time(time=2) standard_name=time"}, nil, "cycle lead x y"},
		{"cycle and valid time both there", []string{"v(init=2,time=3)"}, nil, "cycle valid"},
		{"units before name", []string{"v(a=2,b=3,c=4)", "a(a=2) units=degrees_north", "b(b=3) units=degrees_east", "c(c=4) units=hours"}, nil, "y x lead"},
		{"times by units", []string{"v(t=2,station=2)", "t(t=2) units=hours since 2000-01-01"}, nil, "valid station"},
		{"station by positions", []string{"v(a=2,b=3)", "lat(b=3)", "lon(b=3)", "a(a=2) standard_name=realization"}, nil, "member station"},
		{"rows and columns by positions", []string{"v(a=2,b=3)", "lat(a=2,b=3)", "lon(a=2,b=3)"}, nil, "y x"},
		{"station by cf_role", []string{"v(a=2)", "char:id(a=2,n=8) cf_role=timeseries_id"}, nil, "station"},
		{"singletons", []string{"v(surface=1,number=1,isobaricInhPa=1,station=1)", "isobaricInhPa(isobaricInhPa=1) units=hPa"}, nil, "single member single station"},
		{"two of a role, one a singleton", []string{"v(ens=3,number=1)"}, nil, "member single"},
		{"transect", []string{"v(latitude=5,number=2)"}, nil, "station member"},
		{"overrides", []string{"v(a=2,b=2,c=2)"}, map[string]string{"member": "c", "station": "a", "valid": "b"}, "station valid member"},
		{"override against the file", []string{"v(number=2,station=2)"}, map[string]string{"station": "number", "member": "station"}, "station member"},
		{"letter case", []string{"v(Number=2,TIME=2)"}, nil, "member valid"},
		{"group", []string{"g/v(m=2)", "g/m(m=2) standard_name=realization"}, nil, "member"},
		{"coordinate of another group", []string{"g/v(m=2)", "h/m(m=2) standard_name=realization"}, nil, `error: dimension "m" has no known meaning`},
		{"unknown", []string{"v(number=2,depth=3)"}, nil, `error: dimension "depth" has no known meaning; it has dimensions number=2 (member), depth=3 (unknown)`},
		{"two of a role", []string{"v(ens=3,number=2)"}, nil, `error: dimensions "ens" and "number" both mean member`},
		{"stations and rows", []string{"v(station=3,y=2,x=2)"}, nil, "error: stations and grid rows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHeader("f.nc", variables(tt.vars...), tt.dims)
			l, err := resolve(h, h.vars[0])
			var names []string
			for _, r := range l.roles {
				names = append(names, r.String())
			}
			want, isError := strings.CutPrefix(tt.roles, "error: ")
			if isError {
				var unusable *UnusableError
				if !errors.As(err, &unusable) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "ingest.dimensions") {
					t.Errorf("error %v, want one that says %q and ingest.dimensions", err, want)
				}
				return
			}
			if got := strings.Join(names, " "); err != nil || got != want {
				t.Errorf("roles %q, %v, want %q", got, err, want)
			}
		})
	}
}

func TestFindVariable(t *testing.T) {
	h := newHeader("f.nc", variables(
		"time(time=2) standard_name=time", "lat(station=3)", "orog(station=3)", "char:id(station=3,n=8) cf_role=timeseries_id",
		"t2m(time=2,station=3) standard_name=air_temperature;coordinates=extra;GRIB_shortName=2t", "extra(station=3)",
		"g/u10(time=2,station=3) standard_name=eastward_wind", "time_bnds(time=2,bnds=2)", "crs",
	), nil)
	for want, name := range map[string]string{"t2m": "t2m", "air_temperature": "t2m", "2t": "t2m", "u10": "g/u10", "g/u10": "g/u10", "eastward_wind": "g/u10"} {
		if v, err := h.variable(want); err != nil || v.Name != name {
			t.Errorf("variable(%q) = %q, %v, want %q", want, v.Name, err, name)
		}
	}
	_, err := h.variable("msl")
	var missing *MissingVarError
	if !errors.As(err, &missing) || strings.Join(missing.Have, " ") != "t2m g/u10 time_bnds" {
		t.Errorf("missing variable: %v", err)
	}
}

// FuzzResolve: whatever a file declares, every dimension gets one role or there is an
// error, and no role is given twice.
func FuzzResolve(f *testing.F) {
	f.Add("v(number=2,time=2,step=2,station=2)|time(time=2) standard_name=time")
	f.Add("v(a=2,b=3)|lat(a=2,b=3)|lon(a=2,b=3) units=degrees_east")
	f.Add("g/v(a=1,a=1)|char:id(a=2,n=8) cf_role=timeseries_id|t units=days since 2000-01-01;axis=T")
	f.Fuzz(func(t *testing.T, text string) {
		vars := variables(strings.Split(text, "|")...)
		h := newHeader("f.nc", vars, map[string]string{"member": "m"})
		for _, v := range vars {
			l, err := resolve(h, v)
			if err != nil {
				continue
			}
			seen := map[role]bool{}
			for i, r := range l.roles {
				if r == roleNone || r >= roleCount || r != roleSingle && seen[r] {
					t.Fatalf("%q: dimension %d of %s is %v in %v", text, i, v.Name, r, l.roles)
				}
				seen[r] = true
				if r == roleSingle && v.Dims[i].Len != 1 {
					t.Errorf("%q: dimension %d of length %d is squeezed", text, i, v.Dims[i].Len)
				}
			}
			_, _ = h.variable(v.Name)
			h.data()
		}
	})
}
