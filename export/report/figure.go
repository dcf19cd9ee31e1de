package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	// pageWidth is that of most figures: 900 CSS pixels, of 0.75 points.
	pageWidth = 675 * vg.Length(1)
	// pngDPI gives two pixels for each CSS pixel.
	pngDPI = 192
)

// Figure is a drawing that is ready to be written.
type Figure struct {
	Name    string // of a file, without extension, such as "rank-histograms"
	Title   string // as drawn
	Caption string // what is drawn and how to read it, for the text beneath
	Alt     string // what the picture shows, for those who do not see it

	width, height vg.Length // width 0 is pageWidth
	paint         func(draw.Canvas)
}

// Size in CSS pixels. A PNG has twice as many.
func (f *Figure) Size() (width, height int) {
	w, h := f.points()
	return int(w / 0.75), int(h / 0.75)
}

func (f *Figure) points() (width, height vg.Length) {
	if f.width > 0 {
		return f.width, f.height
	}
	return pageWidth, f.height
}

// WritePNG writes the figure on white, two pixels for each CSS pixel.
func (f *Figure) WritePNG(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(f.points()), vgimg.UseDPI(pngDPI))
	f.paint(draw.New(c))
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(w); err != nil {
		return fmt.Errorf("write figure %s as PNG: %w", f.Name, err)
	}
	return nil
}

// WriteSVG writes the figure on white as a file of its own, with title and
// description. Text stays text.
func (f *Figure) WriteSVG(w io.Writer) error {
	body, err := f.svg()
	if err == nil {
		background := fmt.Sprintf(`<rect width="100%%" height="100%%" fill="%s"/>`, hex(paper))
		_, err = io.WriteString(w, "<?xml version=\"1.0\"?>\n"+f.svgHead(f.Name)+background+body)
	}
	if err != nil {
		return fmt.Errorf("write figure %s as SVG: %w", f.Name, err)
	}
	return nil
}

// svgHead opens the element svg, with title and description. The id begins those of
// its parts and must be the only one of the page.
func (f *Figure) svgHead(id string) string {
	width, height := f.Size()
	w, h := f.points()
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %g %g" role="img" aria-labelledby="%s-title %[5]s-desc">`+
		"\n<title id=\"%[5]s-title\">%[6]s</title>\n<desc id=\"%[5]s-desc\">%[7]s</desc>\n",
		width, height, w.Points(), h.Points(), id, html.EscapeString(f.Title), html.EscapeString(f.Alt))
}

// svg is what follows svgHead, the end of the element svg included.
func (f *Figure) svg() (string, error) {
	c := vgsvg.New(f.points())
	f.paint(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	// The head that vgsvg writes has a fixed size and no title; ours replaces it.
	_, body, found := strings.Cut(b.String(), "xlink\">\n")
	if !found {
		return "", fmt.Errorf("the drawing has no svg element")
	}
	// Arial and Helvetica have the widths of Liberation Sans.
	return strings.ReplaceAll(body, "font-family:Liberation Sans;font-variant:normal;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"), nil
}
