package report

import (
	"testing"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/font"
)

// Text that the font of the pictures lacks would be drawn as boxes.
func TestFontHasAllSigns(t *testing.T) {
	face := font.DefaultCache.Lookup(letters(textSize, ink).Font, textSize).Face
	var buf sfnt.Buffer
	for _, r := range "−¹²³⁴⁵⁶⁷⁸÷°·–■●…" {
		if i, err := face.GlyphIndex(&buf, r); err != nil || i == 0 {
			t.Errorf("no glyph for %q: index %d, %v", r, i, err)
		}
	}
}
