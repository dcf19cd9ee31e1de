package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// publishMetrics writes the file of metrics in the text format of Prometheus
// (prometheus.io/docs/instrumenting/exposition_formats). What the command has no news
// of, as the time of the last success after a failure, is kept from the file that is
// there.
func publishMetrics(path string, m metrics) error {
	before, err := readMetrics(path)
	if err != nil {
		return err
	}
	told := newest(before)
	if m.last != nil && told.After(m.last.Cycle) && told.Sub(m.ended) <= clockTolerance {
		m.last = nil // an old cycle that was made again is no news
	}
	families, err := m.gather()
	if err != nil {
		return err
	}
	for name, family := range before {
		if families[name] == nil && strings.HasPrefix(name, metricPrefix) {
			families[name] = family
		}
	}
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if _, err := expfmt.MetricFamilyToText(&text, families[name]); err != nil {
			return fmt.Errorf("encode metrics: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return &OutputError{Path: path, Err: err}
	}
	if err := sweepUnfinished(path); err != nil {
		return err
	}
	return publish(path, text.Bytes())
}

// readMetrics reads a file of metrics. One that is not there or damaged is empty.
func readMetrics(path string) (map[string]*dto.MetricFamily, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, nil // nothing in it can be believed
	}
	return families, nil
}

const (
	metricPrefix = "sipipe_"
	metricCycle  = "last_cycle_timestamp_seconds"
)

// newest is the cycle that a file of metrics is about; zero when there is none.
func newest(families map[string]*dto.MetricFamily) (cycle time.Time) {
	for _, metric := range families[metricPrefix+metricCycle].GetMetric() {
		cycle = time.Unix(int64(metric.GetGauge().GetValue()), 0)
	}
	return cycle
}

// gather is what is known after this command.
func (m metrics) gather() (map[string]*dto.MetricFamily, error) {
	registry := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: metricPrefix + name, Help: help}, labels)
		registry.MustRegister(g)
		return g
	}
	seconds := float64(m.ended.Unix())
	gauge("build_info", "Version of the program; the value is 1.", "version", "commit").WithLabelValues(m.build.Version, m.build.Commit).Set(1)
	gauge("last_run_timestamp_seconds", "End of the last run, whatever came of it, in seconds since 1970.").WithLabelValues().Set(seconds)
	gauge("exit_code", "Exit code of the last run.").WithLabelValues().Set(float64(m.code))
	if m.code == ExitDone && !m.ledger.training {
		gauge("last_success_timestamp_seconds", "End of the last run with exit code 0 that was to make products, in seconds since 1970.").WithLabelValues().Set(seconds)
	}
	duration := gauge("run_duration_seconds", "Time that a stage of the last run took, all its cycles together.", "stage")
	for stage, d := range m.ledger.seconds {
		duration.WithLabelValues(stage).Set(d)
	}
	if m.ledger.opened {
		gauge("archive_faults", "Files and cycles of the archive that cannot be used.").WithLabelValues().Set(float64(m.ledger.faults))
		gauge("cycles_ahead", "Cycles of the archive that are more than a day ahead of the clock.").WithLabelValues().Set(float64(m.ledger.ahead))
	}
	if m.ledger.drift != nil {
		alarm := gauge("drift", "Whether the score of the last seven days has left its range: 0 or 1.", "variable", "score")
		recent := gauge("recent_score", "Score of the last seven days of the statistical forecast, in units of the variable.", "variable", "score")
		for _, d := range m.ledger.drift {
			alarm.WithLabelValues(d.Variable, d.Score).Set(is(d.Alarm))
			if d.Recent == d.Recent {
				recent.WithLabelValues(d.Variable, d.Score).Set(float64(d.Recent))
			}
		}
	}
	if m.last != nil {
		m.product(gauge, m.last)
	}
	gathered, err := registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	families := make(map[string]*dto.MetricFamily, len(gathered))
	for _, family := range gathered {
		families[family.GetName()] = family
	}
	return families, nil
}

// is tells true from false as metrics do.
func is(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// product describes the newest product that was made or found valid.
func (m metrics) product(gauge func(name, help string, labels ...string) *prometheus.GaugeVec, p *Manifest) {
	gauge(metricCycle, "Newest cycle of which a product was made or found valid, in seconds since 1970.").WithLabelValues().Set(float64(p.Cycle.Unix()))
	gauge("degraded", "Whether that product is degraded in any way: 0 or 1.").WithLabelValues().Set(is(p.Status == StatusDegraded))
	gauge("previous_cycle", "Whether that product is made from the forecast of an earlier cycle: 0 or 1.").WithLabelValues().Set(is(p.ForecastCycle != nil))
	members := gauge("members", "Members with values of the raw forecast, and of the product.", "variable", "kind")
	places := gauge("places", "Stations or grid cells of the product.", "variable")
	missing := gauge("missing_ratio", "Share of the raw values that are missing.", "variable")
	suspect := gauge("implausible_input", "Whether the raw forecast was let pass although it is not plausible, or unlike those before: 0 or 1.", "variable")
	doubted := gauge("implausible_output_places", "Places whose calibrated members are not plausible.", "variable")
	leftOut := gauge("implausible_observations_ratio", "Share of the observations of the latest three days with any that is left out because it is not plausible.", "variable")
	frameAge := gauge("frame_age_seconds", "Time from the latest observations that the statistical forecast has learned from to the cycle.", "variable")
	networkAge := gauge("network_age_seconds", "Time from the latest observations that the networks were trained on to the cycle.", "variable")
	age := func(g *prometheus.GaugeVec, variable string, to *time.Time) {
		if to != nil {
			g.WithLabelValues(variable).Set(p.Cycle.Sub(*to).Seconds())
		}
	}
	fallback := gauge("fallback", "Whether the variable is delivered by this fallback: 0 or 1.", "variable", "kind")
	for _, v := range p.Variables {
		members.WithLabelValues(v.Name, "raw").Set(float64(v.RawMembers))
		members.WithLabelValues(v.Name, "product").Set(float64(v.Members))
		places.WithLabelValues(v.Name).Set(float64(v.Places))
		if all := (v.RawMembers + v.RawLacking) * v.Leads * v.Places; all > 0 {
			missing.WithLabelValues(v.Name).Set(float64(v.Missing) / float64(all))
		}
		suspect.WithLabelValues(v.Name).Set(is(v.Suspect))
		doubted.WithLabelValues(v.Name).Set(float64(v.Doubted))
		leftOut.WithLabelValues(v.Name).Set(v.LeftOut)
		age(frameAge, v.Name, v.LearnedTo)
		age(networkAge, v.Name, v.TrainedTo)
		for _, kind := range []string{fallbackFrame, fallbackRaw, fallbackRawLeads} {
			fallback.WithLabelValues(v.Name, kind).Set(is(v.Fallback == kind))
		}
	}
}
