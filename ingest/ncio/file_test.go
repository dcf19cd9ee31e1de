package ncio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var nan = math.NaN()

// ncgen compiles CDL to a NetCDF file of the given kind ("nc3", "64-bit-offset",
// "nc5", "nc4").
func ncgen(t *testing.T, kind, cdl string) string {
	t.Helper()
	tool, err := exec.LookPath("ncgen")
	if err != nil {
		t.Skip("ncgen is not installed (package netcdf-bin): layouts of other writers are not tested")
	}
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "f.cdl"), filepath.Join(dir, "f.nc")
	if err := os.WriteFile(src, []byte(cdl), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "-k", kind, "-o", dst, src).CombinedOutput(); err != nil {
		t.Fatalf("ncgen: %v\n%s", err, out)
	}
	return dst
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestUnpacking(t *testing.T) {
	f := open(t, ncgen(t, "nc4", `netcdf f {
dimensions: n = 5 ;
variables:
	short packed(n) ; packed:scale_factor = 0.5 ; packed:add_offset = 10. ; packed:_FillValue = -32768s ; packed:missing_value = 7s, 8s ;
	short plain(n) ;
	byte unsigned(n) ; unsigned:_Unsigned = "true" ; unsigned:scale_factor = 2.f ; unsigned:_FillValue = -1b ;
	byte bytes(n) ;
	float mixed(n) ; mixed:missing_value = -9999.9 ;
	double limited(n) ; limited:valid_range = -10., 50. ;
	short packedlimits(n) ; packedlimits:scale_factor = 0.1 ; packedlimits:valid_max = 3.5 ;
	int64 big(n) ; big:_FillValue = -1LL ;
	uint64 ubig(n) ;
	ubyte u(n) ; u:_FillValue = 255ub ;
data:
	packed = -32767, -32768, 7, 8, 4 ;
	plain = -32767, 1, 2, 3, -32768 ;
	unsigned = -1, -2, 127, -128, 0 ;
	bytes = -127, -1, 0, 1, 127 ;
	mixed = -9999.9, 1, 9.969209968386869e36, NaN, 2 ;
	limited = -10.5, -10, 50, 50.1, NaN ;
	packedlimits = 34, 35, 36, 0, -5 ;
	big = -1, 9007199254740993, 0, 5, -2 ;
	ubig = 18446744073709551614, 1, 2, 3, 4 ;
	u = 255, 254, 0, 1, 2 ;
}`))
	tests := []struct {
		name string
		want []float64
	}{
		{"packed", []float64{-16373.5, nan, nan, nan, 12}}, // -32767 is data: the file names its own fill value
		{"plain", []float64{nan, 1, 2, 3, -32768}},         // the default fill value of short
		{"unsigned", []float64{nan, 508, 254, 256, 0}},     // 2*254, 2*127, 2*128
		{"bytes", []float64{-127, -1, 0, 1, 127}},          // bytes have no default fill value
		{"mixed", []float64{nan, 1, nan, nan, 2}},          // fill value given in double for float data
		{"limited", []float64{nan, -10, 50, nan, nan}},
		{"packedlimits", []float64{3.4, 3.5, nan, 0, -0.5}},
		{"big", []float64{nan, 9007199254740992, 0, 5, -2}},
		{"ubig", []float64{nan, 1, 2, 3, 4}},
		{"u", []float64{nan, 254, 0, 1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := f.Float64s(tt.name, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-12)); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			single, err := f.Float32s(tt.name, []int{1}, []int{3})
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float32, 3)
			for i := range want {
				want[i] = float32(tt.want[1+i])
			}
			if d := cmp.Diff(want, single, cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-6, 0)); d != "" {
				t.Errorf("slab: -want +got\n%s", d)
			}
		})
	}
	whole, err := f.Int64s("big")
	if want := []int64{-1, 9007199254740993, 0, 5, -2}; err != nil || !slices.Equal(whole, want) {
		t.Errorf("Int64s = %v, %v, want %v", whole, err, want)
	}
	if _, err := f.Int64s("mixed"); err == nil || !strings.Contains(err.Error(), "whole") {
		t.Errorf("Int64s of fractions: %v", err)
	}
}

func TestText(t *testing.T) {
	f := open(t, ncgen(t, "nc4", `netcdf f {
dimensions: n = 2 ; width = 6 ; m = 2 ;
variables:
	char padded(n, width) ;
	char cube(m, n, width) ;
	char one ;
	char single(width) ;
	string s(n) ; string s:long_name = "Météo" ; string s:list = "a", "b" ;
	string alone ;
	float x ; x:units = "" ; x:a\ name = "with blank" ; x:note = "ends  " ;
// global attributes:
	:title = "T" ;
data:
	padded = "ab", "cdefgh" ;
	cube = "a", "b", "c", "d" ;
	one = "z" ; single = "hello" ;
	s = "Zürich ", "" ; alone = "x" ; x = 3 ;
}`))
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"padded", []string{"ab", "cdefgh"}},
		{"cube", []string{"a", "b", "c", "d"}},
		{"one", []string{"z"}},
		{"single", []string{"hello"}},
		{"s", []string{"Zürich", ""}},
		{"alone", []string{"x"}},
	} {
		got, err := f.Strings(tt.name)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("Strings(%q) = %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := f.Strings("x"); err == nil {
		t.Error("Strings of a float: no error")
	}
	s, _ := f.Var("s")
	if got := s.Text("long_name"); got != "Météo" {
		t.Errorf("string attribute = %q", got)
	}
	if got, _ := s.Attr("list"); !cmp.Equal(got, any([]string{"a", "b"})) {
		t.Errorf("list attribute = %v", got)
	}
	x, _ := f.Var("x")
	if got, ok := x.Attr("units"); !ok || got != "" {
		t.Errorf("empty attribute = %q, %v", got, ok)
	}
	if got := x.Text("a name") + "|" + x.Text("note"); got != "with blank|ends" {
		t.Errorf("attributes = %q", got)
	}
	if got, err := f.Float64s("x", nil, nil); err != nil || !slices.Equal(got, []float64{3}) {
		t.Errorf("scalar = %v, %v", got, err)
	}
	if got, err := f.Float64s("x", []int{}, []int{}); err != nil || !slices.Equal(got, []float64{3}) {
		t.Errorf("scalar by slab = %v, %v", got, err)
	}
	if got := f.Text("title"); got != "T" {
		t.Errorf("title = %q", got)
	}
}

func TestGroups(t *testing.T) {
	f := open(t, ncgen(t, "nc4", `netcdf f {
dimensions: n = 3 ;
variables: int a(n) ;
data: a = 1, 2, 3 ;
group: inner {
	variables: float v(n) ;
	data: v = 4, 5, 6 ;
	group: deep { variables: double w ; data: w = 7 ; }
}}`))
	v, ok := f.Var("inner/v")
	if !ok || !cmp.Equal(v.Dims, []Dim{{"n", 3}}) {
		t.Fatalf("inner/v = %+v, %v", v, ok)
	}
	got, err := f.Float32s("inner/v", []int{1}, []int{2})
	if err != nil || !slices.Equal(got, []float32{5, 6}) {
		t.Errorf("inner/v = %v, %v", got, err)
	}
	deep, err := f.Float64s("inner/deep/w", nil, nil)
	if err != nil || !slices.Equal(deep, []float64{7}) {
		t.Errorf("inner/deep/w = %v, %v", deep, err)
	}
}

const recordCDL = `netcdf f {
dimensions: n = 3 ; t = UNLIMITED ;
variables: short a(n) ; double b(t, n) ; %s double c ;
data: a = 1, 2, 3 ; b = 1, 2, 3, 4, 5, 6 ; %s c = 9 ;
}`

// TestTruncated cuts files short. netcdf-c itself opens the classic ones and reads
// zeros.
func TestTruncated(t *testing.T) {
	for _, kind := range []string{"nc3", "64-bit-offset", "nc5", "nc4"} {
		for _, second := range []bool{false, true} {
			t.Run(fmt.Sprint(kind, second), func(t *testing.T) {
				def, data := "", ""
				if second {
					def, data = "byte r(t) ;", "r = 1, 2 ;"
				}
				path := ncgen(t, kind, fmt.Sprintf(recordCDL, def, data))
				f := open(t, path)
				got, err := f.Float64s("b", nil, nil)
				if want := []float64{1, 2, 3, 4, 5, 6}; err != nil || !slices.Equal(got, want) {
					t.Fatalf("whole file: %v, %v", got, err)
				}
				whole, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				cut := filepath.Join(t.TempDir(), "cut.nc")
				for _, n := range []int{0, 3, 7, 20, len(whole) / 2, len(whole) - 30, len(whole) - 8} {
					if err := os.WriteFile(cut, whole[:n], 0o600); err != nil {
						t.Fatal(err)
					}
					f, err := Open(t.Context(), cut)
					var format *FormatError
					if !errors.As(err, &format) {
						t.Errorf("%d of %d bytes: error %v, want a FormatError", n, len(whole), err)
					}
					if err == nil {
						_ = f.Close()
					}
				}
			})
		}
	}
}

func TestOpenErrors(t *testing.T) {
	junk := filepath.Join(t.TempDir(), "junk.nc")
	if err := os.WriteFile(junk, []byte(strings.Repeat("no data ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), junk)
	var format *FormatError
	if !errors.As(err, &format) || format.Path != junk {
		t.Errorf("junk: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "none.nc")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	for _, path := range []string{"", t.TempDir(), "https://example.org/f.nc", "file:///tmp/f#mode=zarr", "a\x00b"} {
		if f, err := Open(t.Context(), path); err == nil {
			t.Errorf("%q was opened", path)
			_ = f.Close()
		}
	}
	if _, err := Create(t.Context(), filepath.Join(t.TempDir(), "no", "f.nc")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("create in a missing folder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, junk); err == nil {
		t.Error("opened after the context ended")
	}
}

// TestHugeClaim reads a small file whose variable claims 10^18 values.
func TestHugeClaim(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.nc")
	f, err := Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, err := range []error{
		f.AddDim("a", 1e9),
		f.AddDim("b", 1e9),
		f.AddVar(VarDef{Name: "v", Type: Float, Dims: []string{"a", "b"}, Chunks: []int{1, 10}}),
		f.AddVar(VarDef{Name: "c", Type: Char, Dims: []string{"a"}, Chunks: []int{10}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Float32s("v", nil, nil); err == nil || !strings.Contains(err.Error(), "read a part") {
		t.Errorf("whole variable: %v", err)
	}
	if _, err := f.Strings("c"); err == nil {
		t.Error("huge text was read")
	}
	got, err := f.Float32s("v", []int{999_999_999, 5}, []int{1, 2})
	if err != nil || len(got) != 2 || got[0] == got[0] {
		t.Errorf("corner = %v, %v, want two missing values", got, err)
	}
}

func TestClose(t *testing.T) {
	path := ncgen(t, "nc4", `netcdf f { variables: int a ; data: a = 1 ; }`)
	f := open(t, path)
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	other := open(t, path) // takes the id that is free now
	if _, err := f.Float64s("a", nil, nil); !errors.Is(err, errClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if _, err := other.Float64s("a", nil, nil); err != nil {
		t.Error(err)
	}
	if _, err := other.Float64s("b", nil, nil); err == nil || !strings.Contains(err.Error(), "it has a") {
		t.Errorf("absent variable: %v", err)
	}
	if err := other.AddDim("x", 1); err == nil {
		t.Error("a file open for reading was changed")
	}
}

// TestConcurrent uses many files at once, which the C library cannot bear.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 5 {
				path := filepath.Join(dir, fmt.Sprintf("%d-%d.nc", i, j))
				data := []float64{float64(i), float64(j)}
				err := WriteAtomic(t.Context(), path, func(f *File) error {
					return errors.Join(f.AddDim("n", 2),
						f.AddVar(VarDef{Name: "v", Type: Double, Dims: []string{"n"}, Deflate: 1}),
						f.WriteFloat64s("v", nil, nil, data))
				})
				if err != nil {
					t.Error(err)
					return
				}
				f, err := Open(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := f.Float64s("v", nil, nil)
				if err := errors.Join(err, f.Close()); err != nil || !slices.Equal(got, data) {
					t.Errorf("%s = %v, %v", path, got, err)
				}
			}
		})
	}
	group.Wait()
}

// TestDamaged overwrites parts of compressed files: reading gives an error that says so,
// or the data when nothing of them was hit, and never ends the program.
func TestDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.nc")
	data := make([]float32, 20000)
	for i := range data {
		data[i] = float32(math.Sin(float64(i)))
	}
	err := WriteAtomic(t.Context(), path, func(f *File) error {
		return errors.Join(f.AddDim("n", len(data)), f.AddVar(VarDef{Name: "v", Type: Float, Dims: []string{"n"}, Deflate: 4, Chunks: []int{1000}}),
			f.WriteFloat32s("v", nil, nil, data))
	})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for at := 0; at+40 < len(whole); at += len(whole) / 60 {
		b := slices.Clone(whole)
		for i := range 40 {
			b[at+i] ^= 0x5a
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(t.Context(), path)
		if err != nil {
			found++
			continue
		}
		got, err := f.Float32s("v", nil, nil)
		if err == nil && !slices.Equal(got, data) {
			t.Errorf("damage at byte %d of %d gives other data without an error", at, len(whole))
		}
		var format *FormatError
		if errors.As(err, &format) {
			found++
		}
		if err := f.Close(); err != nil {
			t.Errorf("close after damage at byte %d: %v", at, err)
		}
	}
	if found < 40 { // most of the file is compressed data
		t.Errorf("%d of 60 damages were found", found)
	}
}
