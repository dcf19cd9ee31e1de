package report

import (
	_ "embed" // the style sheet
	"fmt"
	"html/template"
	"strings"
)

//go:embed page.css
var pageStyle string

// theme gives each colour of the palette a name, and a value on dark ground.
var theme = []struct {
	name  string
	light rgb
	dark  rgb
}{
	{"ink", ink, rgb{0xe8, 0xea, 0xed}},
	{"soft", soft, rgb{0xa4, 0xac, 0xb6}},
	{"rule", rule, rgb{0x33, 0x39, 0x42}},
	{"paper", paper, rgb{0x15, 0x18, 0x1d}},
	{"raw", rawColor, rgb{0x97, 0x9d, 0xa6}},
	{"emos", emosColor, rgb{0xf0, 0xa6, 0x3c}},
	{"frame", frameColor, rgb{0x2f, 0xc2, 0xa6}},
	{"calibrated", calColor, rgb{0x7a, 0xa9, 0xf7}},
	{"third", thirdColor, rgb{0xe0, 0x85, 0xba}},
	{"other", otherColor, rgb{0xc4, 0xa8, 0x82}},
}

// themed replaces the colours of the palette in an SVG by the names of the theme.
func themed(svg string) string {
	var pairs []string
	for _, c := range theme {
		pairs = append(pairs, ":"+hex(c.light), ":var(--"+c.name+")")
	}
	return strings.NewReplacer(pairs...).Replace(svg)
}

// stylesheet is that of the page with the colours of both themes.
func stylesheet() template.CSS {
	var light, dark strings.Builder
	for _, c := range theme {
		fmt.Fprintf(&light, "--%s:%s;", c.name, hex(c.light))
		fmt.Fprintf(&dark, "--%s:%s;", c.name, hex(c.dark))
	}
	// Print is always light.
	return template.CSS(fmt.Sprintf(":root{%s}\n@media screen and (prefers-color-scheme:dark){:root{%s}}\n%s", light.String(), dark.String(), pageStyle))
}

// Token is the name of the system's colour in the theme.
func (r row) Token() string {
	if r.System == "" {
		return ""
	}
	of := System{Name: r.System}.color()
	for _, c := range theme {
		if c.light == of {
			return c.name
		}
	}
	return ""
}
