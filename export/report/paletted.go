package report

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"slices"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// WriteSmallPNG is WritePNG with a palette of 256 colours, for pictures that are
// kept in a repository: a third of the size and no difference that the eye sees. dpi
// are dots per inch of 72 points, 96 for one pixel each CSS pixel; 0 is that of WritePNG.
func (f *Figure) WriteSmallPNG(w io.Writer, dpi int) error {
	if dpi == 0 {
		dpi = pngDPI
	}
	c := vgimg.NewWith(vgimg.UseWH(f.points()), vgimg.UseDPI(dpi))
	f.paint(draw.New(c))
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(w, paletted(c.Image())); err != nil {
		return fmt.Errorf("write figure %s as PNG: %w", f.Name, err)
	}
	return nil
}

// paletted gives an image the 256 of its colours that are most frequent. In a drawing
// few colours cover nearly everything; the rest, of the edges of lines, take the
// nearest of them.
func paletted(img image.Image) *image.Paletted {
	b := img.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA) }
	count := map[color.RGBA]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	all := make([]color.RGBA, 0, len(count))
	for c := range count {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B), cmp.Compare(a.A, b.A))
	})
	var palette color.Palette
	for _, c := range all[:min(256, len(all))] {
		palette = append(palette, c)
	}
	out := image.NewPaletted(b, palette)
	index := map[color.RGBA]uint8{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			i, ok := index[c]
			if !ok {
				i = uint8(palette.Index(c))
				index[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}
