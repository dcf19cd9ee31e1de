package pipeline

import "time"

// Config is the whole configuration. Each leaf is one key, named by its
// mapstructure tags joined by dots. The other tags are the table from which files,
// environment, flags, help and validation work:
//
//	desc    what the key means, in one sentence
//	valid   "1..1000" (either end may be missing) or "a|b|c"
//	path    "true": relative to the folder of the configuration file
//	result  "no": the key has no influence on the numbers, so that products stay
//	        valid when it changes
//
// The comments of DefaultConfig say why a default is what it is.
type Config struct {
	Ingest     IngestConfig     `mapstructure:"ingest" desc:"where forecasts and observations are and how they are read"`
	Variables  []string         `mapstructure:"variables" desc:"variables to calibrate: their names in the files, or CF standard names"`
	Calibrate  CalibrateConfig  `mapstructure:"calibrate" desc:"how forecasts are calibrated"`
	Export     ExportConfig     `mapstructure:"export" desc:"what is written, and where"`
	State      string           `mapstructure:"state" desc:"folder of models, pairs and the lock; can be deleted, everything in it is made again" path:"true" result:"no"`
	Operations OperationsConfig `mapstructure:"operations" desc:"how the program behaves when it runs unattended"`
}

// IngestConfig says where forecasts and observations are and how they are read.
type IngestConfig struct {
	Forecasts      string              `mapstructure:"forecasts" desc:"raw ensemble forecasts: a template such as archive/{date:%Y}/fc_{date:%Y%m%d%H}.nc, a glob, or one file with many cycles" path:"true"`
	Observations   string              `mapstructure:"observations" desc:"observations: a template, a glob, or one file; empty: there are none, and raw members are delivered" path:"true"`
	GridToStations string              `mapstructure:"grid_to_stations" desc:"how gridded forecasts are brought to observing stations; off keeps the grid" valid:"off|nearest|bilinear"`
	Aliases        map[string][]string `mapstructure:"aliases" desc:"further names of dimensions and coordinates, by role: realization, time, forecast_reference_time, forecast_period, station, latitude, longitude, altitude"`
	Units          map[string]string   `mapstructure:"units" desc:"units of variables whose files state none or wrong ones, by variable"`
}

// CalibrateConfig says how forecasts are calibrated.
type CalibrateConfig struct {
	Members int           `mapstructure:"members" desc:"members to sample" valid:"1..10000"`
	Seed    uint64        `mapstructure:"seed" desc:"seed of all random numbers; the same seed gives the same members"`
	Delay   time.Duration `mapstructure:"delay" desc:"how long after its valid time an observation becomes available" valid:"0s.."`
}

// ExportConfig says what is written, and where.
type ExportConfig struct {
	Path        string            `mapstructure:"path" desc:"product of a cycle: a template with {date:...} in strftime letters" path:"true" result:"no"`
	Deflate     int               `mapstructure:"deflate" desc:"compression of the product; 0 is none" valid:"0..9" result:"no"`
	DateCreated bool              `mapstructure:"date_created" desc:"write the time of creation into the product; without it the same run gives the same bytes" result:"no"`
	Metadata    map[string]string `mapstructure:"metadata" desc:"global attributes of the product, such as title, institution, source, license, creator_name"`
}

// OperationsConfig says how the program behaves when it runs unattended.
type OperationsConfig struct {
	Threads    int           `mapstructure:"threads" desc:"threads to use; 0: OMP_NUM_THREADS, SLURM_CPUS_PER_TASK, or what the machine allows" valid:"0..4096" result:"no"`
	LockWait   time.Duration `mapstructure:"lock_wait" desc:"how long to wait for another run with the same state folder" valid:"0s.." result:"no"`
	MinMembers int           `mapstructure:"min_members" desc:"fewest members of a raw forecast that are worth calibrating; fewer is an input error" valid:"1..10000"`
	OnMissing  string        `mapstructure:"on_missing" desc:"what to deliver when there is too little to train on: the statistical baseline, raw members, or nothing" valid:"baseline|raw|fail"`
}

// DefaultConfig returns the configuration before any file, variable or flag.
func DefaultConfig() Config {
	return Config{
		Ingest: IngestConfig{
			// A grid is delivered as a grid unless somebody asks otherwise.
			GridToStations: "off",
		},
		Calibrate: CalibrateConfig{
			// Enough that the sampling noise of the mean is below a tenth of the
			// spread, few enough to be written and read in a second.
			Members: 50,
			Seed:    1,
			Delay:   0,
		},
		Export: ExportConfig{
			Path: "out/{date:%Y/%m/%d}/sipipe_{date:%Y%m%d%H}.nc",
			// Beyond 4, members shrink by less than a hundredth and take twice the time.
			Deflate: 4,
		},
		State: "state",
		Operations: OperationsConfig{
			// A schedule that starts twice by mistake should hear of it at once.
			LockWait: 0,
			// A spread takes two members.
			MinMembers: 2,
			// A product that is somewhat worse is of more use than none.
			OnMissing: "baseline",
		},
	}
}
