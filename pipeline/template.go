package pipeline

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/lestrrat-go/strftime"
)

// expandTemplate fills {date:FORMAT}, with FORMAT in strftime letters, {date}, which
// is {date:%Y%m%d}, and {cycle}, which is {date:%H}; all in UTC.
func expandTemplate(template string, t time.Time) (string, error) {
	var out strings.Builder
	rest := template
	for {
		before, after, found := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return "", fmt.Errorf("is %q: } without {", template)
		}
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		field, after, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf("is %q: { without }", template)
		}
		format, isDate := strings.CutPrefix(field, "date:")
		switch {
		case field == "date":
			format = "%Y%m%d"
		case field == "cycle":
			format = "%H"
		case !isDate:
			return "", fmt.Errorf("is %q: {%s} is not known; valid: {date:FORMAT}, for example {date:%%Y%%m%%d%%H}", template, field)
		}
		text, err := strftime.Format(format, t.UTC())
		if err != nil {
			// The library says the same three times over, in terms of its own.
			return "", fmt.Errorf("is %q: {%s} has a letter after %% that is not known; valid are those of strftime, for example {date:%%Y%%m%%d%%H}", template, field)
		}
		out.WriteString(text)
		rest = after
	}
}

// fixedFolder is the folder of a path template before anything that depends on the
// cycle: all its files lie below.
func fixedFolder(template string) string {
	fixed, _, _ := strings.Cut(template, "{")
	return filepath.Dir(fixed + "x")
}
