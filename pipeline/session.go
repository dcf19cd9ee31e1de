package pipeline

import (
	"os"
	"runtime"
	"slices"
	"strconv"

	"github.com/rs/zerolog"
)

// session is what a command that works with a configuration has at hand.
type session struct {
	*Loaded
	global   *Global
	log      zerolog.Logger
	progress *Progress
	threads  int
	ledger   *ledger
}

// loading says where the configuration comes from: the file and the flags of this
// command, and pairs of key and value on top.
func (g *Global) loading(set ...string) LoadOptions {
	return LoadOptions{File: g.Config, Set: append(slices.Clone(g.Set), set...), Flags: g.flags}
}

// begin loads the configuration and sets up the log.
func (g *Global) begin(command string) (*session, error) {
	loaded, err := Load(g.loading())
	if err != nil {
		return nil, err
	}
	log, progress := g.talk(command)
	s := &session{Loaded: loaded, global: g, log: log, progress: progress, threads: threads(loaded.Operations.Threads), ledger: &ledger{}}
	g.restore = append(g.restore, limit(s.threads, int64(loaded.Operations.Memory)*megabyte))
	log.Debug().Str("file", loaded.File).Str("config_sha256", loaded.Hash).Int("threads", s.threads).Msg("configuration loaded")
	return s, nil
}

// talk sets up log and progress on one screen.
func (g *Global) talk(command string) (zerolog.Logger, *Progress) {
	screen := newScreen(g.Err)
	log := newLog(screen, logOptions{Format: g.LogFormat, Verbose: g.Verbose, Quiet: g.Quiet}, g.clock)
	log = log.With().Str("command", command).Logger()
	return log, &Progress{screen: screen, log: log, every: heartbeatEvery, quiet: g.Quiet}
}

// threads is the number asked for, or else what the batch system has given, or else
// what the machine allows, which Go takes from affinity and cgroup. It has no
// influence on results.
func threads(asked int) int {
	if asked > 0 {
		return asked
	}
	for _, variable := range []string{"OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"} {
		if n, err := strconv.Atoi(os.Getenv(variable)); err == nil && n > 0 {
			return n
		}
	}
	return runtime.GOMAXPROCS(0)
}

// ownEnvironment are the environment variables that stand for flags and not for keys.
func ownEnvironment() (e struct{ config, logFormat string }) {
	e.config, e.logFormat = os.Getenv("SIPIPE_CONFIG"), os.Getenv("SIPIPE_LOG_FORMAT")
	return e
}
