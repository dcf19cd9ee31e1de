package pipeline

import (
	"testing"

	"sipipe/ingest/ncio"
)

// rewrite changes the values of one variable of a NetCDF file.
func rewrite(t *testing.T, path, variable string, change func([]float32)) {
	t.Helper()
	in, err := ncio.Open(t.Context(), path)
	must2(t, err)
	defer in.Close()
	copied := func(out *ncio.File) error {
		seen := map[string]bool{}
		for _, v := range in.Vars() {
			d := ncio.VarDef{Name: v.Name, Type: v.Type, Attrs: v.Attrs}
			for _, dim := range v.Dims {
				d.Dims = append(d.Dims, dim.Name)
				if seen[dim.Name] {
					continue
				}
				seen[dim.Name] = true
				if err := out.AddDim(dim.Name, dim.Len); err != nil {
					return err
				}
			}
			d.Attrs = nil
			for _, a := range v.Attrs {
				if a.Name != "_FillValue" {
					d.Attrs = append(d.Attrs, a)
				}
			}
			if err := out.AddVar(d); err != nil {
				return err
			}
		}
		for _, a := range in.Attrs() {
			if err := out.PutAttr(a); err != nil {
				return err
			}
		}
		for _, v := range in.Vars() {
			if err := copyVar(in, out, v, variable, change); err != nil {
				return err
			}
		}
		return nil
	}
	must2(t, ncio.WriteAtomic(t.Context(), path, copied))
}

func copyVar(in, out *ncio.File, v ncio.Var, changed string, change func([]float32)) error {
	switch v.Type {
	case ncio.Char:
		s, err := in.Strings(v.Name)
		if err != nil {
			return err
		}
		return out.WriteStrings(v.Name, s)
	case ncio.Int:
		wide, err := in.Int64s(v.Name)
		if err != nil {
			return err
		}
		narrow := make([]int32, len(wide))
		for i, n := range wide {
			narrow[i] = int32(n)
		}
		return out.WriteInt32s(v.Name, nil, nil, narrow)
	case ncio.Double:
		x, err := in.Float64s(v.Name, nil, nil)
		if err != nil {
			return err
		}
		return out.WriteFloat64s(v.Name, nil, nil, x)
	}
	x, err := in.Float32s(v.Name, nil, nil)
	if err != nil {
		return err
	}
	if v.Name == changed {
		change(x)
	}
	return out.WriteFloat32s(v.Name, nil, nil, x)
}
