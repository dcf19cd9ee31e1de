package report

import (
	"bytes"
	"image/color"
	"image/png"
	"testing"
)

// Ink is where pixels are 1, paper where they are 0, and lines begin with row 0.
func TestStrip(t *testing.T) {
	s := Strip{Name: "strip", Title: "Two pixels", Rows: 2, Cols: 1, Times: []float64{0}, Lines: []StripLine{{"a", [][]float64{{1, 0}}}}}
	img := s.picture(s.Lines[0].Pixels[0])
	b := img.Bounds()
	if top := color.RGBAModel.Convert(img.At(0, 0)); top != color.RGBAModel.Convert(ink) {
		t.Errorf("the upper pixel is %v, want ink", top)
	}
	if bottom := color.RGBAModel.Convert(img.At(0, b.Max.Y-1)); bottom != color.RGBAModel.Convert(paper) {
		t.Errorf("the lower pixel is %v, want paper", bottom)
	}
	f, err := s.Figure()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.WritePNG(&out); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&out); err != nil {
		t.Error(err)
	}
	s.Lines[0].Pixels = append(s.Lines[0].Pixels, []float64{1, 1})
	if _, err := s.Figure(); err == nil {
		t.Error("two images for one time were drawn")
	}
	s.Lines[0].Pixels = [][]float64{{1}}
	if _, err := s.Figure(); err == nil {
		t.Error("half an image was drawn")
	}
}
