package ncio

import (
	"math"
	"strings"
)

type number interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

// packing says how the stored values of a variable become numbers (CF conventions
// 1.11, sections 2.5.1 and 8.1):
//
//	value = packed*scale + offset
//
// and which stored values mean "missing": _FillValue, any of missing_value, NaN,
// values outside valid_min ... valid_max or valid_range, and the type's default fill
// value, which is what the library leaves where nothing was written.
type packing struct {
	scale, offset float64
	packed        bool // scale or offset is given
	unsigned      bool // stored as signed, meant as unsigned
	missing       []any
	validMin      float64 // in stored units, ±Inf when not given
	validMax      float64
	defaultFill   bool
}

func packingOf(v Var) packing {
	p := packing{scale: 1, validMin: math.Inf(-1), validMax: math.Inf(1), defaultFill: true}
	if s, ok := v.Float("scale_factor"); ok {
		p.scale, p.packed = s, true
	}
	if o, ok := v.Float("add_offset"); ok {
		p.offset, p.packed = o, true
	}
	p.unsigned = strings.EqualFold(v.Text("_Unsigned"), "true")
	for _, name := range []string{"_FillValue", "missing_value"} {
		if value, ok := v.Attr(name); ok && numbers(value) != nil {
			p.missing = append(p.missing, value)
			if name == "_FillValue" && v.Type != Float && v.Type != Double {
				// A named fill value frees the default one for data: packed shorts
				// use the whole range.
				p.defaultFill = false
			}
		}
	}
	p.validRange(v)
	return p
}

// validRange reads the limits of valid data. They are in stored units, except when a
// packed integer variable has limits of floating type: then they are in real units
// (NetCDF User's Guide, Attribute Conventions).
func (p *packing) validRange(v Var) {
	set := func(name string, value any, i int, dst *float64) {
		x := numbers(value)
		if i >= len(x) || math.IsNaN(x[i]) {
			return
		}
		*dst = x[i]
		_, single := value.([]float32)
		_, double := value.([]float64)
		if p.packed && (single || double) && v.Type != Float && v.Type != Double && p.scale != 0 {
			*dst = (x[i] - p.offset) / p.scale
		}
		if x, ok := value.([]int32); ok && p.unsigned && *dst < 0 {
			*dst = unsignedAs(v.Type, float64(x[i]))
		}
	}
	if r, ok := v.Attr("valid_range"); ok {
		set("valid_range", r, 0, &p.validMin)
		set("valid_range", r, 1, &p.validMax)
	}
	if m, ok := v.Attr("valid_min"); ok {
		set("valid_min", m, 0, &p.validMin)
	}
	if m, ok := v.Attr("valid_max"); ok {
		set("valid_max", m, 0, &p.validMax)
	}
	if p.validMin > p.validMax { // a negative scale swaps limits given in real units
		p.validMin, p.validMax = p.validMax, p.validMin
	}
}

// unsignedAs is the unsigned reading of a negative stored value.
func unsignedAs(t Type, x float64) float64 {
	switch t {
	case Byte:
		return x + 1<<8
	case Short:
		return x + 1<<16
	case Int:
		return x + 1<<32
	}
	return x
}

// unpack turns stored values into numbers, missing ones into NaN.
func unpack[T number, F float32 | float64](dst []F, src []T, t Type, p packing) {
	fills := fillsOf[T](t, p)
	nan := F(math.NaN())
	limited := !math.IsInf(p.validMin, -1) || !math.IsInf(p.validMax, 1)
	plain := !p.packed && !p.unsigned && !limited
values:
	for i, raw := range src {
		for _, f := range fills {
			if raw == f {
				dst[i] = nan
				continue values
			}
		}
		if plain {
			dst[i] = F(raw)
			continue
		}
		x := float64(raw)
		if p.unsigned && x < 0 {
			x = unsignedAs(t, x)
		}
		if limited && (x < p.validMin || x > p.validMax) {
			dst[i] = nan
			continue
		}
		if p.packed {
			x = float64(x*p.scale) + p.offset
		}
		dst[i] = F(x)
	}
}

// fillsOf lists the stored values that mean "missing". They are compared in the
// variable's own type, because a fill value given as -9999.9 in double never equals
// the same number stored in float.
func fillsOf[T number](t Type, p packing) []T {
	var fills []T
	for _, value := range p.missing {
		switch x := value.(type) {
		case []int32:
			fills = appendAs(fills, x)
		case []int64:
			fills = appendAs(fills, x)
		case []float32:
			fills = appendAs(fills, x)
		case []float64:
			fills = appendAs(fills, x)
		}
	}
	if p.defaultFill {
		// Bytes have a default fill value too, but programs do not apply it: all
		// values of a byte are in use.
		switch t {
		case Short:
			fills = appendAs(fills, []int32{-32767})
		case UShort:
			fills = appendAs(fills, []int32{65535})
		case Int:
			fills = appendAs(fills, []int32{-2147483647})
		case UInt:
			fills = appendAs(fills, []int64{4294967295})
		case Int64:
			fills = appendAs(fills, []int64{-9223372036854775806})
		case UInt64: // 18446744073709551614 has the bits of -2
			fills = appendAs(fills, []int64{-2})
		case Float, Double: // 9.9692099683868690e+36, which is a float32
			fills = appendAs(fills, []float32{0x1.ep+122})
		}
	}
	return fills
}

// appendAs appends values converted to T, without those that T cannot hold: their
// conversion would be another value, which may be data. A negative integer keeps its
// bits in an unsigned type.
func appendAs[T number, F int32 | int64 | float32 | float64](dst []T, values []F) []T {
	for _, v := range values {
		x := T(v)
		y := float64(v)
		_, floating := any(v).(float64)
		if !floating {
			_, floating = any(v).(float32)
		}
		bits := !floating && y < 0 && x > 0
		// Written so that NaN is left out: it is missing anyway.
		if bits || math.Abs(y-float64(x)) <= 1e-6*math.Abs(y) {
			dst = append(dst, x)
		}
	}
	return dst
}
