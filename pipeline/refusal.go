package pipeline

import "time"

// A run that refuses a cycle once its forecast was read, for want of what to learn from or
// because its members cannot be right, leaves the reason in the state folder. What is wrong
// with a forecast is seen again by reading it.
const (
	refusalsPrefix = "refusals/"
	refusalVersion = 1
)

// refusal is the reason why a run has refused a cycle.
type refusal struct{ ConfigSHA256, Why string }

func refusalKey(cycle time.Time) string { return refusalsPrefix + cycle.UTC().Format("2006010215") }

// refused keeps the reason why a run has refused its cycle; nil is none, and forgets.
func (j *job) refused(why error) error {
	key := refusalKey(j.cycle)
	switch {
	case why == nil:
		return j.store.Delete(key)
	case lacksInput(why):
		return j.store.Put(key, refusalVersion, refusal{j.Hash, why.Error()})
	}
	return nil
}

// refusal is why the last run of a cycle with this configuration has refused it; "" when it
// did not.
func (w *workspace) refusal(cycle time.Time) string {
	var r refusal
	if w.store.Get(refusalKey(cycle), refusalVersion, &r) != nil || r.ConfigSHA256 != w.Hash {
		return ""
	}
	return "the last run refused it: " + r.Why
}
