package ncio

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sample writes one variable of each kind.
func sample(f *File) error {
	return errors.Join(
		f.AddDim("time", 2), f.AddDim("station", 3), f.AddDim("width", 4),
		f.AddVar(VarDef{Name: "time", Type: Int64, Dims: []string{"time"}, Attrs: []Attr{
			{"units", "seconds since 1970-01-01 00:00:00"}, {"empty", ""}, {"none", []int32{}},
		}}),
		f.AddVar(VarDef{Name: "station", Type: Char, Dims: []string{"station", "width"}, Deflate: 4}),
		f.AddVar(VarDef{
			Name: "t2m", Type: Float, Dims: []string{"time", "station"}, Fill: float32(-9), Deflate: 4,
			Chunks: []int{1, 3}, Attrs: []Attr{{"units", "K"}, {"scale", []float64{2, 3}}, {"name", "Météo"}},
		}),
		f.AddVar(VarDef{Name: "scalar", Type: Int, Deflate: 9, Fill: int32(7)}),
		f.AddVar(VarDef{Name: "small", Type: Byte, Dims: []string{"station"}, Fill: int8(-1)}),
		f.AddVar(VarDef{Name: "short", Type: Short, Dims: []string{"station"}, Fill: int16(-5)}),
		f.PutAttr(Attr{"title", "first"}), f.PutAttr(Attr{"title", "sample"}), f.PutAttr(Attr{"seed", []int64{1 << 40}}),
		f.WriteInt64s("time", nil, nil, []int64{0, 3600}),
		f.WriteStrings("station", []string{"a", "bcde", ""}),
		f.WriteFloat32s("t2m", []int{1, 1}, []int{1, 2}, []float32{280, 281}),
		f.WriteInt32s("scalar", nil, nil, []int32{42}),
		f.WriteInt8s("small", []int{2}, []int{1}, []int8{5}),
		f.WriteInt16s("short", []int{0}, []int{0}, nil),
	)
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "sample.nc")
	if err := WriteAtomic(t.Context(), path, sample); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	want := []Var{
		{Name: "time", Type: Int64, Dims: []Dim{{"time", 2}}, Attrs: []Attr{{"units", "seconds since 1970-01-01 00:00:00"}}},
		{Name: "station", Type: Char, Dims: []Dim{{"station", 3}, {"width", 4}}},
		{Name: "t2m", Type: Float, Dims: []Dim{{"time", 2}, {"station", 3}}, Chunks: []int{1, 3}, Attrs: []Attr{
			{"units", "K"}, {"scale", []float64{2, 3}}, {"name", "Météo"}, {"_FillValue", []float32{-9}},
		}},
		{Name: "scalar", Type: Int, Attrs: []Attr{{"_FillValue", []int32{7}}}},
		{Name: "small", Type: Byte, Dims: []Dim{{"station", 3}}, Attrs: []Attr{{"_FillValue", []int32{-1}}}},
		{Name: "short", Type: Short, Dims: []Dim{{"station", 3}}, Attrs: []Attr{{"_FillValue", []int32{-5}}}},
	}
	unordered := cmpopts.SortSlices(func(a, b Attr) bool { return a.Name < b.Name })
	noChunks := cmpopts.IgnoreFields(Var{}, "Chunks")
	if d := cmp.Diff(want, f.Vars(), unordered, noChunks, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("variables: -want +got\n%s", d)
	}
	if v, _ := f.Var("t2m"); !slices.Equal(v.Chunks, []int{1, 3}) {
		t.Errorf("chunks = %v", v.Chunks)
	}
	for _, tt := range []struct {
		name string
		want []float64
	}{
		{"t2m", []float64{nan, nan, nan, nan, 280, 281}},
		{"scalar", []float64{42}},
		{"small", []float64{nan, nan, 5}},
		{"short", []float64{nan, nan, nan}},
		{"time", []float64{0, 3600}},
	} {
		got, err := f.Float64s(tt.name, nil, nil)
		if d := cmp.Diff(tt.want, got, cmpopts.EquateNaNs()); err != nil || d != "" {
			t.Errorf("%s: %v -want +got\n%s", tt.name, err, d)
		}
	}
	if got, err := f.Strings("station"); err != nil || !slices.Equal(got, []string{"a", "bcde", ""}) {
		t.Errorf("station = %q, %v", got, err)
	}
	if got := Var.Text(Var{Attrs: f.Attrs()}, "title"); got != "sample" {
		t.Errorf("title = %q", got)
	}
	if got, _ := (Var{Attrs: f.Attrs()}).Attr("seed"); !cmp.Equal(got, any([]int64{1 << 40})) {
		t.Errorf("seed = %v", got)
	}
}

// TestNcdump lets the C library's own tool read what we write.
func TestNcdump(t *testing.T) {
	tool, err := exec.LookPath("ncdump")
	if err != nil {
		t.Skip("ncdump is not installed (package netcdf-bin): output is not checked by another program")
	}
	path := filepath.Join(t.TempDir(), "sample.nc")
	if err := WriteAtomic(t.Context(), path, sample); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, path).CombinedOutput()
	if err != nil {
		t.Fatalf("ncdump: %v\n%s", err, out)
	}
	for _, want := range []string{
		"float t2m(time, station) ;", "t2m:_FillValue = -9.f ;", `t2m:units = "K" ;`, `t2m:name = "Météo" ;`,
		"_, _, _,\n  _, 280, 281 ;", `"bcde"`, "scalar = 42 ;", `:title = "sample" ;`, ":seed = 1099511627776LL ;",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "empty") {
		t.Error("an empty attribute was written")
	}
}

// TestSameBytes: equal content makes equal files, which manifests and re-runs rely on.
func TestSameBytes(t *testing.T) {
	dir := t.TempDir()
	var b [2][]byte
	for i, name := range []string{"a.nc", "b.nc"} {
		path := filepath.Join(dir, name)
		if err := WriteAtomic(t.Context(), path, sample); err != nil {
			t.Fatal(err)
		}
		var err error
		if b[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if string(b[0]) != string(b[1]) {
		t.Error("two files of the same content differ")
	}
}

func TestWriteAtomicFault(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f.nc")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	ctx, cancel := context.WithCancel(t.Context())
	tests := map[string]struct {
		ctx  context.Context
		fill func(*File) error
		want error
	}{
		"fill fails": {t.Context(), func(f *File) error {
			names, _ := filepath.Glob(filepath.Join(dir, "*.nc"))
			if len(names) != 1 {
				t.Errorf("while writing, others see %v", names)
			}
			return errors.Join(sample(f), boom)
		}, boom},
		"definition fails": {t.Context(), func(f *File) error {
			if err := f.AddVar(VarDef{Name: "bad/name", Type: Int}); err == nil {
				t.Error("a bad name was accepted")
			}
			return f.AddDim("n", 1) // the file is broken: this must not succeed
		}, nil},
		"cancelled": {ctx, func(f *File) error { cancel(); return nil }, context.Canceled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := WriteAtomic(tt.ctx, path, tt.fill)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
			if b, _ := os.ReadFile(path); string(b) != "old" {
				t.Errorf("the file that was there is gone: %q", b)
			}
		})
	}
	if err := WriteAtomic(t.Context(), path, sample); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o400 == 0 || info.Size() < 100 {
		t.Errorf("published: %v, %v", info, err)
	}
}

func TestRefusedDefinitions(t *testing.T) {
	f, err := Create(t.Context(), filepath.Join(t.TempDir(), "f.nc"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(f.AddDim("n", 2), f.AddVar(VarDef{Name: "v", Type: Float, Dims: []string{"n"}})); err != nil {
		t.Fatal(err)
	}
	refused := map[string]error{
		"unlimited dimension": f.AddDim("u", 0),
		"dimension twice":     f.AddDim("n", 2),
		"unknown dimension":   f.AddVar(VarDef{Name: "a", Type: Int, Dims: []string{"m"}}),
		"variable twice":      f.AddVar(VarDef{Name: "v", Type: Int}),
		"fill of other type":  f.AddVar(VarDef{Name: "a", Type: Float, Fill: math.NaN()}),
		"fill as attribute":   f.AddVar(VarDef{Name: "a", Type: Float, Attrs: []Attr{{"_FillValue", []float32{1}}}}),
		"rank of chunks":      f.AddVar(VarDef{Name: "a", Type: Float, Dims: []string{"n"}, Chunks: []int{1, 1}}),
		"deflate level":       f.AddVar(VarDef{Name: "a", Type: Float, Deflate: 10}),
		"type":                f.AddVar(VarDef{Name: "a", Type: Other}),
		"too few values":      f.WriteFloat32s("v", nil, nil, []float32{1}),
		"wrong type":          f.WriteFloat64s("v", nil, nil, []float64{1, 2}),
		"outside":             f.WriteFloat32s("v", []int{1}, []int{2}, []float32{1, 2}),
		"overflow":            f.WriteFloat32s("v", []int{math.MaxInt}, []int{math.MaxInt}, nil),
		"absent":              f.WriteFloat32s("w", nil, nil, nil),
		"text to numbers":     f.WriteStrings("v", []string{"a"}),
	}
	for name, err := range refused {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// A refusal leaves the file usable.
	if err := f.WriteFloat32s("v", nil, nil, []float32{1, 2}); err != nil {
		t.Error(err)
	}
}
