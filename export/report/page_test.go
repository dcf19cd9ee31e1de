package report

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"sipipe/calibrate/score"
)

func pageOf(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elements of a tag, in the order of the page.
func elements(n *html.Node, tag string) []*html.Node {
	var out []*html.Node
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && c.Data == tag {
			out = append(out, c)
		}
	}
	return out
}

func content(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// cells of a table by its caption's beginning, head included.
func cells(t *testing.T, page *html.Node, caption string) [][]string {
	t.Helper()
	for _, table := range elements(page, "table") {
		if !strings.HasPrefix(content(elements(table, "caption")[0]), caption) {
			continue
		}
		var out [][]string
		for _, tr := range elements(table, "tr") {
			var line []string
			for c := range tr.ChildNodes() {
				line = append(line, content(c))
			}
			out = append(out, line)
		}
		return out
	}
	t.Fatalf("no table %q", caption)
	return nil
}

func TestPage(t *testing.T) {
	p := examplePage(t)
	text := pageOf(t, p)
	if *keep != "" {
		if err := os.WriteFile(filepath.Join(*keep, "report.html"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	v := p.Verifications[0]
	scores := v.Scores

	t.Run("stands alone", func(t *testing.T) {
		for _, tag := range []string{"script", "link", "img", "iframe"} {
			if n := len(elements(page, tag)); n > 0 {
				t.Errorf("%d elements %s", n, tag)
			}
		}
		// Name spaces are names, not addresses.
		bare := strings.ReplaceAll(text, `xmlns="http://www.w3.org/2000/svg"`, "")
		if regexp.MustCompile(`https?://|url\(|@import`).MatchString(bare) {
			t.Error("the page refers to others")
		}
	})

	t.Run("is accessible", func(t *testing.T) {
		ids := map[string]*html.Node{}
		for n := range page.Descendants() {
			if id := attribute(n, "id"); n.Type == html.ElementNode && id != "" {
				if ids[id] != nil {
					t.Errorf("id %q occurs twice", id)
				}
				ids[id] = n
			}
		}
		figures := elements(page, "figure")
		// Example, ranks, days, leads, two maps, reliability, spread.
		if len(figures) != 8 {
			t.Errorf("%d figures, want 8", len(figures))
		}
		for _, f := range figures {
			svg := elements(f, "svg")[0]
			for _, id := range strings.Fields(attribute(svg, "aria-labelledby")) {
				if n := ids[id]; n == nil || len(content(n)) < 20 {
					t.Errorf("figure has no text at %q", id)
				}
			}
			if attribute(svg, "role") != "img" || len(elements(f, "figcaption")) != 1 {
				t.Error("figure without role or caption")
			}
		}
		for _, table := range elements(page, "table") {
			if len(elements(table, "caption")) != 1 {
				t.Error("table without caption")
			}
			for _, th := range elements(table, "th") {
				if attribute(th, "scope") == "" {
					t.Errorf("heading %q has no scope", content(th))
				}
			}
		}
		if attribute(elements(page, "html")[0], "lang") != "en" {
			t.Error("the page has no language")
		}
	})

	t.Run("header", func(t *testing.T) {
		mustContain(t, content(elements(page, "header")[0]),
			"2004-02-01 to 2004-02-20", "2\u202f400 cases on 20 days", p.Command, p.ConfigSHA256, "1.0.0", "Simulated forecasts & observations.")
		if strings.Contains(text, "Written") {
			t.Error("a time stands in a page that was given none")
		}
	})

	t.Run("scores", func(t *testing.T) {
		summary := cells(t, page, "Scores over all cases")
		if len(summary) != 1+len(systems) {
			t.Fatalf("%d rows", len(summary))
		}
		for i, s := range systems {
			f := scores.Systems[s.Name]
			want := []string{s.label(), number(float64(f.CRPS), 3), number(float64(f.CRPSFair), 3), number(float64(f.Spread), 3), number(float64(f.RMSE), 3), number(float64(f.SpreadError), 3)}
			if got := summary[1+i][:6]; !slices.Equal(got, want) {
				t.Errorf("row %v, want %v", got, want)
			}
		}
		skill := cells(t, page, "Skill of calibrated: how much lower its fair CRPS is")
		k := scores.Skill["calibrated_vs_raw"]
		if want := []string{"raw ensemble", percent(k.CRPSS), percent(k.CI95[0]) + " to " + percent(k.CI95[1]), probability(float64(k.P))}; !slices.Equal(skill[1], want) {
			t.Errorf("row %v, want %v", skill[1], want)
		}
		if got := cells(t, page, "CRPS by lead time"); len(got) != 3 || got[1][0] != "24 h" || got[2][0] != "48 h" {
			t.Errorf("lead times %v", got)
		}
		if got := cells(t, page, "Brier scores"); len(got) != 4 || got[1][0] != "more than 0 °C" {
			t.Errorf("events %v", got)
		}
	})

	t.Run("worst stations", func(t *testing.T) {
		worst := cells(t, page, "The 10 stations of highest CRPS")
		if len(worst) != 11 {
			t.Fatalf("%d rows", len(worst))
		}
		var all []float64
		for _, s := range scores.ByStation {
			all = append(all, float64(s.Systems["calibrated"].CRPS))
		}
		slices.Sort(all)
		for i, line := range worst[1:] {
			// Columns: station, position, cases, four systems.
			if want := number(all[len(all)-1-i], 2); line[6] != want {
				t.Errorf("row %d: CRPS %s, want %s", i, line[6], want)
			}
		}
	})

	t.Run("colours follow the theme", func(t *testing.T) {
		body := text[strings.Index(text, "<body"):]
		for _, c := range regexp.MustCompile(`#[0-9A-F]{6}`).FindAllString(body, -1) {
			if !slices.ContainsFunc(skillColors, func(s rgb) bool { return hex(s) == c }) {
				t.Fatalf("colour %s is not of the theme", c)
			}
		}
	})

	if pageOf(t, examplePage(t)) != text {
		t.Error("the same data give another page")
	}
}

// Days of equal numbers of cases: their mean is that of all cases.
func TestDailyScoresAddUp(t *testing.T) {
	v := exampleVerification(t)
	if len(v.Days) != 20 || !v.Days[0].Day.Equal(firstValid) {
		t.Fatalf("%d days from %s", len(v.Days), v.Days[0].Day)
	}
	for i, s := range systems {
		sum := 0.
		for _, d := range v.Days {
			if d.Cases != 120 {
				t.Fatalf("%d cases on %s, want 60 stations at 2 lead times", d.Cases, d.Day)
			}
			sum += d.CRPS[i]
		}
		if want := float64(v.Scores.Systems[s.Name].CRPS); math.Abs(sum/20-want) > 1e-12 {
			t.Errorf("%s: mean of days %v, of all cases %v", s.Name, sum/20, want)
		}
	}
	if _, err := DailyScores(score.NewComparison(nil), systems); err == nil {
		t.Error("scores of an unknown system")
	}
}

func TestPageOfTwoVariables(t *testing.T) {
	p := examplePage(t)
	second := p.Verifications[0]
	second.Variable = Variable{Name: "tp", LongName: "<b>rain</b>", Units: "kg m-2"}
	second.Examples = append(second.Examples, second.Examples[0])
	p.Verifications = append(p.Verifications, second)
	text := pageOf(t, p)
	page, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for n := range page.Descendants() {
		if id := attribute(n, "id"); id != "" && seen[id] {
			t.Errorf("id %q occurs twice", id)
		} else if id != "" {
			seen[id] = true
		}
		if n.Data == "b" {
			t.Error("the name of a variable became an element")
		}
	}
	for _, a := range elements(page, "a") {
		if !seen[strings.TrimPrefix(attribute(a, "href"), "#")] {
			t.Errorf("link to %q leads nowhere", attribute(a, "href"))
		}
	}
	if n := len(elements(page, "section")); n != 2 {
		t.Errorf("%d sections", n)
	}
	mustContain(t, content(page), "CRPS (mm)", "<b>rain</b>: mean CRPS by day")
}

func TestPageWithLittle(t *testing.T) {
	p := examplePage(t)
	v := &p.Verifications[0]
	v.Days, v.Stations, v.Spread, v.Examples = nil, nil, nil, nil
	v.Scores.ByLead, v.Scores.Events = v.Scores.ByLead[:1], nil
	p.Created = time.Date(2004, 2, 21, 6, 0, 0, 0, time.UTC)
	text := pageOf(t, p)
	if n := strings.Count(text, "<figure>"); n != 1 {
		t.Errorf("%d figures, want that of ranks only", n)
	}
	mustContain(t, text, "<dt>Written</dt><dd>2004-02-21 06 UTC</dd>", "S0")
	for _, absent := range []string{"CRPS by lead time", "Brier"} {
		if strings.Contains(text, absent) {
			t.Errorf("page of one lead time and no events has %q", absent)
		}
	}
}

// An event that never came into question is in the table but has no diagram.
func TestPageEventOutOfQuestion(t *testing.T) {
	p := examplePage(t)
	v := &p.Verifications[0]
	drawn := strings.Count(pageOf(t, p), "<figure>")
	for _, e := range v.Scores.Events {
		for name, f := range e.Systems {
			f.Diagram = f.Diagram[:min(1, len(f.Diagram))]
			e.Systems[name] = f
		}
	}
	text := pageOf(t, p)
	if n := strings.Count(text, "<figure>"); n != drawn-1 {
		t.Errorf("%d figures of %d, want one less", n, drawn)
	}
	mustContain(t, text, "Brier scores of events")
}

func TestFindings(t *testing.T) {
	v := exampleVerification(t)
	k := v.Scores.Skill["calibrated_vs_emos"]
	k.CRPSS, k.CI95[0], k.CI95[1] = -0.012, -0.03, 0.004
	v.Scores.Skill["calibrated_vs_emos"] = k
	k.CRPSS, k.CI95[0], k.CI95[1] = 0.33, 0.31, 0.35
	v.Scores.Skill["calibrated_vs_raw"] = k
	text := strings.Join(v.findings(), "\n")
	mustContain(t, text, "Fair CRPS: 33.0 % lower than raw ensemble (95 % interval 31.0 to 35.0 %).",
		"Fair CRPS: 1.2 % higher than EMOS (95 % interval −0.4 to 3.0 %), which may be chance.")
}

func TestPageErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(*Page)
		advice string
	}{
		{"nothing", func(p *Page) { p.Verifications = nil }, "nothing was verified"},
		{"no scores", func(p *Page) { p.Verifications[0].Scores = nil }, "t2m: no scores"},
		{"no cases", func(p *Page) { p.Verifications[0].Scores.Cases = 0 }, "verify a period"},
		{"unknown system", func(p *Page) { p.Verifications[0].Systems = []System{{Name: "bma"}} }, `"bma" has no scores`},
	} {
		p := examplePage(t)
		c.spoil(p)
		err := p.Write(new(bytes.Buffer))
		if err == nil || !strings.Contains(err.Error(), c.advice) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.advice)
		}
	}
}

// Names of the theme's colours must differ from each other in both themes, and text
// must stand out from its ground: contrast of 4.5 (WCAG 2.2, 1.4.3), marks 3 (1.4.11).
func TestThemeContrast(t *testing.T) {
	light, dark := paper, rgb{}
	for _, c := range theme {
		if c.name == "paper" {
			dark = c.dark
		}
	}
	for _, c := range theme {
		want := 3.
		switch c.name {
		case "ink", "soft":
			want = 4.5
		case "rule", "paper":
			continue
		case "emos", "raw":
			want = 2.6 // orange and grey on white; told apart by legend and order, too
		}
		if got := contrast(c.light, light); got < want {
			t.Errorf("%s on white: contrast %.2f, want %v", c.name, got, want)
		}
		if got := contrast(c.dark, dark); got < want {
			t.Errorf("%s on dark: contrast %.2f, want %v", c.name, got, want)
		}
	}
}

func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// luminance of WCAG 2.2.
func luminance(c rgb) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// Spread ÷ error of each system by season and region, and the target's probability.
func TestPartTable(t *testing.T) {
	v := examplePage(t).Verifications[0]
	figures := map[string]score.GroupFigure{}
	for i, s := range v.Systems {
		figures[s.Name] = score.GroupFigure{SpreadError: score.Number(1 + i), FlatP: 0.2}
	}
	last := v.target().Name
	figures[last] = score.GroupFigure{SpreadError: 0.97, FlatP: 0.031}
	v.Scores.Groups = &score.Groups{List: []score.GroupReport{{Season: "DJF", Region: "all", Cases: 1200, Days: 90, Systems: figures}}}
	table := v.partTable()
	row := table.Rows[0].Cells
	if len(row) != len(table.Head) || row[0] != "DJF" || row[len(row)-2] != "0.97" || row[len(row)-1] != "0.031" {
		t.Errorf("%q under %q", row, table.Head)
	}
}
