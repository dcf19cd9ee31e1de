package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"
)

// manifestSuffix is added to the name of a product.
const manifestSuffix = ".manifest.json"

// manifestVersion changes when the meaning of a field does; others are not trusted.
const manifestVersion = 1

// Status of a product.
const (
	StatusOK       = "ok"
	StatusDegraded = "degraded"
)

// Manifest is the record of one product: what it was made from, how, and what it is.
// It lies beside the product and is written after it, so that its presence says that
// the product is complete.
type Manifest struct {
	Version int       `json:"manifest_version"`
	Cycle   time.Time `json:"cycle"`
	// ForecastCycle is the cycle of the forecast when it is an earlier one: that of Cycle
	// was missing.
	ForecastCycle *time.Time `json:"forecast_cycle,omitempty"`
	Status        string     `json:"status"`
	Reasons       []string   `json:"reasons,omitempty"` // why it is degraded
	ConfigSHA256  string     `json:"config_sha256"`
	// Archive digests all that shaped the product beside Inputs: the forecasts and
	// observations of earlier cycles, as they were available at this one.
	Archive   string            `json:"archive_sha256,omitempty"`
	Inputs    []FileRecord      `json:"inputs"`
	Ignored   []IgnoredFile     `json:"ignored_inputs,omitempty"` // 100 at most
	Outputs   []FileRecord      `json:"outputs"`
	Variables []VariableRecord  `json:"variables"`
	Seed      uint64            `json:"seed"`
	Versions  map[string]string `json:"versions"`
	// PeakMemory and Stages are left out when SOURCE_DATE_EPOCH asks for the same bytes
	// each time; Created is then that date.
	Created    time.Time     `json:"created"`
	PeakMemory int64         `json:"peak_memory_bytes,omitempty"` // of the process until then
	Stages     []StageRecord `json:"stages,omitempty"`
	// Sum is the SHA-256 of the file with this value left empty. Manifests
	// made by earlier programs have none.
	Sum string `json:"manifest_sha256"`
}

// FileRecord is a file as it was. Paths are as in the configuration for inputs, and
// relative to the manifest for outputs, so that a folder of products can be moved.
type FileRecord struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes,omitempty"` // of outputs
	SHA256 string `json:"sha256"`
}

// VariableRecord counts what was made of one variable.
type VariableRecord struct {
	Name     string `json:"name"`
	Method   string `json:"method"`
	Fallback string `json:"fallback,omitempty"` // frame, raw or raw_leads, when it is not what was asked for
	Suspect  bool   `json:"implausible_input,omitempty"`
	Doubted  int    `json:"implausible_places,omitempty"` // where calibrated members are not plausible
	// LeftOut is the share of the latest observations that is not plausible.
	LeftOut float64 `json:"implausible_observations,omitempty"`
	VariableAge
	Model      string `json:"model_sha256,omitempty"`
	Choice     string `json:"choice,omitempty"`              // why the model has the networks' weight it has, or none
	RawMembers int    `json:"raw_members"`                   // those that have any value
	RawLacking int    `json:"raw_members_missing,omitempty"` // the others
	Members    int    `json:"members"`
	Leads      int    `json:"leads"`
	Places     int    `json:"places"`
	Missing    int    `json:"missing_raw_values"`
}

// Wanted is what a product must have been made from to be valid.
type Wanted struct {
	Cycle        time.Time
	ConfigSHA256 string
	Archive      string
	Inputs       []FileRecord
	Instead      string // why it is made from an earlier forecast; "" when it is not
}

// manifestPath is where the manifest of a product lies.
func manifestPath(product string) string { return product + manifestSuffix }

// ReadManifest reads the manifest of a product. The error is fs.ErrNotExist when
// there is none.
func ReadManifest(product string) (*Manifest, error) {
	path := manifestPath(product)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	var m Manifest
	if err := unseal(text, &m, &m.Sum); err != nil {
		return nil, fmt.Errorf("manifest %s is damaged: %w", path, err)
	}
	return &m, nil
}

// Write stores the manifest beside its product, complete or not at all.
func (m *Manifest) Write(product string) error {
	text, err := seal(m, &m.Sum)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return publish(manifestPath(product), text)
}

// seal encodes v as JSON in which sum, a field of v, is the SHA-256 of the text with
// this value left empty.
func seal(v any, sum *string) ([]byte, error) {
	*sum = ""
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	*sum = sumOf(append(text, '\n'))
	text, err = json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

// unseal decodes what seal has made. A text without a sum is of an earlier program.
func unseal(text []byte, v any, sum *string) error {
	if err := json.Unmarshal(text, v); err != nil {
		return err
	}
	if *sum != "" && *sum != sumOf(bytes.Replace(text, []byte(*sum), nil, 1)) {
		return errors.New("its checksum does not match")
	}
	return nil
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// validProduct says whether the product is there, complete, and made from what is
// wanted, and otherwise why it is not.
func validProduct(ctx context.Context, product string, want Wanted) (valid bool, why string, err error) {
	m, err := ReadManifest(product)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, "no product yet", nil
	case err != nil:
		return false, err.Error(), nil
	case m.Version != manifestVersion:
		return false, fmt.Sprintf("its manifest has version %d, not %d", m.Version, manifestVersion), nil
	case !m.Cycle.Equal(want.Cycle):
		return false, "", &ConfigError{Key: "export.path", Text: fmt.Sprintf(
			"gives cycles %s and %s the same product %s; put {date:%%Y%%m%%d%%H} into it", formatCycle(m.Cycle), formatCycle(want.Cycle), product)}
	case m.outdated(want) != "":
		return false, m.outdated(want), nil
	case len(m.Outputs) == 0:
		return false, "its manifest names no output", nil
	}
	for _, out := range m.Outputs {
		have, err := recordFile(ctx, filepath.Join(filepath.Dir(product), out.Path), out.Path)
		switch {
		case ctx.Err() != nil:
			return false, "", ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return false, out.Path + " is gone", nil
		case err != nil:
			return false, out.Path + " cannot be read", nil
		case have != out:
			return false, out.Path + " was changed or damaged", nil
		}
	}
	return true, "product is there and valid", nil
}

// outdated says why a product is not what would be made now; "" when it is.
func (m *Manifest) outdated(want Wanted) string {
	switch {
	case m.ConfigSHA256 != want.ConfigSHA256:
		return "the configuration has changed"
	case !slices.Equal(m.Inputs, want.Inputs) && m.ForecastCycle != nil:
		return fmt.Sprintf("it was made from the forecast of %s, and there is a later one", formatCycle(*m.ForecastCycle))
	case !slices.Equal(m.Inputs, want.Inputs):
		return "the forecast has changed"
	case m.Archive != want.Archive:
		return "earlier forecasts or observations have changed"
	case want.Instead != "" && !slices.Contains(m.Reasons, want.Instead):
		return "it would now be " + want.Instead
	}
	return ""
}

// recordFile measures a file. name is how it appears in the record.
func recordFile(ctx context.Context, path, name string) (r FileRecord, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	d := sha256.New()
	n, err := io.Copy(d, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return f.Read(p)
	}))
	if err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	return FileRecord{Path: name, Bytes: n, SHA256: hex.EncodeToString(d.Sum(nil))}, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// sourceDateEpoch is the date that reproducible builds ask for
// (reproducible-builds.org/specs/source-date-epoch).
func sourceDateEpoch() (t time.Time, set bool, err error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return t, false, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return t, false, &ConfigError{Origin: "env SOURCE_DATE_EPOCH", Text: fmt.Sprintf("%q is not a number of seconds since 1970", text)}
	}
	return time.Unix(n, 0).UTC(), true, nil
}

// versions of what a product was made with.
func versions(b Build) map[string]string {
	return map[string]string{
		"sipipe": b.Version,
		"commit": b.Commit,
		"go":     runtime.Version(),
		"netcdf": netcdfVersion(),
	}
}
