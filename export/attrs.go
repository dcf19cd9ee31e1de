package export

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/ncio"
)

const stamp = "2006-01-02T15:04:05Z"

// globalAttributes describe the product: what CF and ACDD ask for and can be told
// from the forecast, the user's metadata, and the provenance. What is not known is
// left out: "unknown" would be found by searches.
func globalAttributes(f *Forecast, a *axes) []ncio.Attr {
	p := &f.Provenance
	var attrs []ncio.Attr
	put := func(name string, value any) {
		if text, ok := value.(string); ok {
			if own, set := f.Metadata[name]; set {
				value, text = own, own
			}
			if text == "" {
				return
			}
		}
		attrs = append(attrs, ncio.Attr{Name: name, Value: value})
	}
	names := make([]string, len(f.Vars))
	var standard []string
	for i, e := range f.Vars {
		names[i] = e.Variable.Name
		for _, n := range []string{e.Variable.LongName, e.Variable.StandardName} {
			if n != "" {
				names[i] = strings.ReplaceAll(n, "_", " ")
				break
			}
		}
		if n := e.Variable.StandardName; n != "" && !slices.Contains(standard, n) {
			standard = append(standard, n)
		}
	}
	shape := "Spot Values"
	if a.places.Grid != nil {
		shape = "on Grid"
	}
	put("Conventions", "CF-1.11, ACDD-1.3")
	if a.places.Grid == nil {
		put("featureType", "timeSeries")
	}
	title, summary, level := "Post-Processed Ensemble Forecast ", "Calibrated ensemble of %d members, made from the raw ensemble forecast of %s and earlier forecasts and observations.", "calibrated ensemble forecast"
	if p.raw() {
		title, summary, level = "Raw Ensemble Forecast ", "Members of the raw ensemble forecast of %[2]s, at most %[1]d: it could not be calibrated.", "raw ensemble forecast"
	}
	put("title", title+shape+": "+strings.Join(names, ", "))
	put("summary", fmt.Sprintf(summary, len(a.members), a.cycle.Format(stamp)))
	put("keywords", strings.Join(standard, ", "))
	issued := a.cycle
	if !p.IssuedFor.IsZero() {
		issued = p.IssuedFor.UTC()
	}
	put("id", "sipipe_"+issued.Format("20060102150405"))
	put("institution", "")
	put("source", "ensemble post-processing by sipipe "+p.Version)
	put("processing_level", level)
	put("product_version", p.Version)
	if len(standard) > 0 {
		put("standard_name_vocabulary", "CF Standard Name Table v83")
	}
	put("history", history(p))
	if !p.Created.IsZero() {
		put("date_created", p.Created.UTC().Format(stamp))
	}
	for _, c := range coverage(a) {
		put(c.Name, c.Value)
	}
	written := func(name string) bool {
		return slices.ContainsFunc(attrs, func(a ncio.Attr) bool { return a.Name == name })
	}
	for _, name := range slices.Sorted(maps.Keys(f.Metadata)) {
		if !written(name) {
			put(name, f.Metadata[name])
		}
	}
	return append(attrs, provenanceAttributes(p)...)
}

// raw tells whether no variable could be calibrated.
func (p *Provenance) raw() bool {
	for _, m := range p.Variables {
		if m.Name != "raw" {
			return false
		}
	}
	return len(p.Variables) > 0
}

// history is one line: how to make this product again. It has a stamp only when the
// time of creation is asked for, so that otherwise the same run gives the same bytes.
func history(p *Provenance) string {
	var line strings.Builder
	if !p.Created.IsZero() {
		line.WriteString(p.Created.UTC().Format(stamp) + ": ")
	}
	line.WriteString(p.Command)
	if p.Version != "" {
		line.WriteString(" [sipipe " + p.Version + "]")
	}
	if p.ConfigSHA256 != "" {
		line.WriteString(" [config sha256:" + p.ConfigSHA256 + "]")
	}
	return line.String()
}

// coverage is the extent in space and time.
func coverage(a *axes) []ncio.Attr {
	var attrs []ncio.Attr
	extent := func(prefix string, x []float64) {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, v := range x {
			if v == v {
				lo, hi = min(lo, v), max(hi, v)
			}
		}
		if lo <= hi {
			attrs = append(attrs,
				ncio.Attr{Name: prefix + "_min", Value: []float64{lo}},
				ncio.Attr{Name: prefix + "_max", Value: []float64{hi}})
		}
	}
	extent("geospatial_lat", a.places.Latitude)
	extent("geospatial_lon", a.places.Longitude)
	extent("geospatial_vertical", a.places.Altitude)
	if known(a.places.Altitude) != nil {
		attrs = append(attrs, ncio.Attr{Name: "geospatial_vertical_positive", Value: "up"})
	}
	first, last := a.leads[0], a.leads[len(a.leads)-1]
	attrs = append(attrs,
		ncio.Attr{Name: "time_coverage_start", Value: a.cycle.Add(first).Format(stamp)},
		ncio.Attr{Name: "time_coverage_end", Value: a.cycle.Add(last).Format(stamp)},
		ncio.Attr{Name: "time_coverage_duration", Value: isoDuration(last - first)})
	if step, regular := stepOf(a.leads); regular {
		attrs = append(attrs, ncio.Attr{Name: "time_coverage_resolution", Value: isoDuration(step)})
	}
	return attrs
}

func stepOf(leads []time.Duration) (step time.Duration, regular bool) {
	if len(leads) < 2 {
		return 0, false
	}
	step = leads[1] - leads[0]
	for i := 2; i < len(leads); i++ {
		if leads[i]-leads[i-1] != step {
			return 0, false
		}
	}
	return step, true
}

// isoDuration is the ISO 8601 form, such as P2DT6H.
func isoDuration(d time.Duration) string {
	text := "P"
	if days := d / (24 * time.Hour); days > 0 {
		text += fmt.Sprintf("%dD", days)
		d -= days * 24 * time.Hour
	}
	if d == 0 {
		if text == "P" {
			return "PT0S"
		}
		return text
	}
	text += "T"
	for _, u := range []struct {
		unit   time.Duration
		letter string
	}{{time.Hour, "H"}, {time.Minute, "M"}, {time.Second, "S"}} {
		if n := d / u.unit; n > 0 {
			text += fmt.Sprintf("%d%s", n, u.letter)
			d -= n * u.unit
		}
	}
	return text
}

// Attributes of provenance, with the namespace in front as IMPROVER does it.
const (
	attrIssued   = "sipipe__issued_for"
	attrVersion  = "sipipe__version"
	attrCommand  = "sipipe__command"
	attrConfig   = "sipipe__config_sha256"
	attrSeed     = "sipipe__seed"
	attrStatus   = "sipipe__status"
	attrDegraded = "sipipe__degraded"
	attrInputs   = "sipipe__inputs"
	attrMethod   = "sipipe__method"
	attrModel    = "sipipe__model_sha256"
	attrSampler  = "sipipe__sampler"
	attrSteps    = "sipipe__steps"
)

func provenanceAttributes(p *Provenance) []ncio.Attr {
	status := "ok"
	if len(p.Degraded) > 0 {
		status = "degraded"
	}
	inputs := make([]string, len(p.Inputs))
	for i, s := range p.Inputs {
		inputs[i] = s.SHA256 + "  " + s.Path // as sha256sum writes it
	}
	issued := "" // else forecast_reference_time says it
	if !p.IssuedFor.IsZero() {
		issued = p.IssuedFor.UTC().Format(stamp)
	}
	return []ncio.Attr{
		{Name: attrIssued, Value: issued},
		{Name: attrVersion, Value: p.Version},
		{Name: attrCommand, Value: p.Command},
		{Name: attrConfig, Value: p.ConfigSHA256},
		{Name: attrSeed, Value: strconv.FormatUint(p.Seed, 10)}, // text: classic NetCDF has no 64-bit integer
		{Name: attrStatus, Value: status},
		{Name: attrDegraded, Value: strings.Join(p.Degraded, "\n")},
		{Name: attrInputs, Value: strings.Join(inputs, "\n")},
	}
}

func methodAttributes(m Method) []ncio.Attr {
	attrs := []ncio.Attr{
		{Name: attrMethod, Value: m.Name},
		{Name: attrModel, Value: m.ModelSHA256},
		{Name: attrSampler, Value: m.Sampler},
	}
	if m.Steps > 0 {
		attrs = append(attrs, ncio.Attr{Name: attrSteps, Value: []int32{int32(m.Steps)}})
	}
	return attrs
}

// readProvenance is the inverse of what globalAttributes and methodAttributes write.
func readProvenance(nc *ncio.File, vars []*ingest.Ensemble) Provenance {
	p := Provenance{
		Version:      nc.Text(attrVersion),
		Command:      nc.Text(attrCommand),
		ConfigSHA256: nc.Text(attrConfig),
		Variables:    map[string]Method{},
	}
	// Attributes that another program has changed are left at zero.
	p.Seed, _ = strconv.ParseUint(nc.Text(attrSeed), 10, 64)
	p.Created, _ = time.Parse(stamp, nc.Text("date_created"))
	p.IssuedFor, _ = time.Parse(stamp, nc.Text(attrIssued))
	p.Degraded = lines(nc.Text(attrDegraded))
	for _, line := range lines(nc.Text(attrInputs)) {
		digest, path, _ := strings.Cut(line, "  ")
		p.Inputs = append(p.Inputs, ingest.Source{Path: path, SHA256: digest})
	}
	for _, e := range vars {
		v, _ := nc.Var(e.Variable.Name)
		m := Method{Name: v.Text(attrMethod), ModelSHA256: v.Text(attrModel), Sampler: v.Text(attrSampler)}
		if n, ok := v.Float(attrSteps); ok {
			m.Steps = int(n)
		}
		p.Variables[v.Name] = m
	}
	return p
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
