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
	Slurm      SlurmConfig      `mapstructure:"slurm" desc:"what sipipe submit asks Slurm for"`
}

// IngestConfig says where forecasts and observations are and how they are read.
type IngestConfig struct {
	Forecasts      string            `mapstructure:"forecasts" desc:"raw ensemble forecasts: a template such as archive/{date:%Y}/fc_{date:%Y%m%d%H}.nc, a glob, or one file with many cycles" path:"true"`
	Observations   string            `mapstructure:"observations" desc:"observations: a template, a glob, or one file; empty: there are none, and raw members are delivered" path:"true"`
	GridToStations string            `mapstructure:"grid_to_stations" desc:"how gridded forecasts are brought to observing stations; off keeps the grid" valid:"off|nearest|bilinear"`
	Dimensions     map[string]string `mapstructure:"dimensions" desc:"names of dimensions that are not found by themselves, by role: member, cycle, lead, valid, station, y, x, year"`
	Units          map[string]string `mapstructure:"units" desc:"units of variables whose forecast files state none or wrong ones, by name in variables, name in the file, or standard name"`
	ObservedNames  map[string]string `mapstructure:"observed_names" desc:"names of variables in observation files where they differ from forecasts, by variable"`
	ObservedUnits  map[string]string `mapstructure:"observed_units" desc:"units of variables whose observation files state none or wrong ones, by the same names"`
	Implausible    string            `mapstructure:"implausible" desc:"what to do with a raw forecast that cannot be right: constant fields, temperatures in wrong units, members that are copies, values of an earlier cycle" valid:"fail|warn" result:"no"`
}

// CalibrateConfig says how forecasts are calibrated.
type CalibrateConfig struct {
	Members int           `mapstructure:"members" desc:"members to sample" valid:"1..10000"`
	Seed    uint64        `mapstructure:"seed" desc:"seed of all random numbers; the same seed gives the same members"`
	Delay   time.Duration `mapstructure:"delay" desc:"how long after its valid time an observation becomes available" valid:"0s.."`

	Since    time.Time `mapstructure:"since" desc:"date from which on the archive is used; empty: all of it"`
	Withhold []string  `mapstructure:"withhold" desc:"stations whose observations nothing learns from, to see how good forecasts of unseen places are: names, or parts such as 2/5, the second of five into which stations are dealt, by calibrate.seed, when they are first observed"`

	Method       string `mapstructure:"method" desc:"interpolant: the statistical frame with the interpolant on top; frame: the statistical frame alone" valid:"interpolant|frame"`
	Model        string `mapstructure:"model" desc:"pointwise: an interpolant for each place, its noise related between places; joint: one interpolant for all places of a cycle at once, whose networks see them all (of more than 64, sets of them); it takes more time" valid:"pointwise|joint"`
	Exchangeable string `mapstructure:"exchangeable" desc:"whether members share their coefficients; auto: unless the file names the model of each of at most 20" valid:"auto|yes|no"`
	Draw         string `mapstructure:"draw" desc:"stratified: the members of a place cover its distribution evenly; independent: they are independent draws" valid:"stratified|independent"`

	Interpolant InterpolantConfig `mapstructure:"interpolant" desc:"the path from raw to observed, and how it is integrated"`
	Network     NetworkConfig     `mapstructure:"network" desc:"the networks that learn what the frame leaves"`
	Coherence   CoherenceConfig   `mapstructure:"coherence" desc:"how the noise of one member is related between places and lead times"`
}

// InterpolantConfig is x_t = alpha x0 + beta x1 + gamma z and its sampler.
type InterpolantConfig struct {
	Path         string  `mapstructure:"path" desc:"alpha and beta" valid:"linear|trigonometric|encoding-decoding|one-sided-linear|one-sided-trigonometric|vp|mirror"`
	Gamma        string  `mapstructure:"gamma" desc:"the latent scale; none for paths that bring their own" valid:"quadratic|brownian|sine|zero|none"`
	Amplitude    float64 `mapstructure:"amplitude" desc:"factor of gamma" valid:"0..100"`
	Heads        string  `mapstructure:"heads" desc:"the two fields that the networks predict" valid:"v-eta|b-eta|b-s|v-s|x0-x1|x0-eta|x1-eta"`
	Epsilon      string  `mapstructure:"epsilon" desc:"the diffusion of the SDE; zero is the ODE" valid:"zero|constant|gamma|sit-constant|sit-sbdm|sit-sigma|sit-linear|sit-decreasing|sit-increasing-decreasing"`
	EpsilonScale float64 `mapstructure:"epsilon_scale" desc:"factor of epsilon; the default is meant for gamma, other forms usually take 1" valid:"0..100"`
	Dress        float64 `mapstructure:"dress" desc:"sd of the noise added to the standardised raw member" valid:"0..5"`
	Solver       string  `mapstructure:"solver" desc:"how the equation is integrated" valid:"exponential|stochastic-heun|euler-maruyama|heun|euler|dopri5|ddim|ddim-heun|edm"`
	Churn        float64 `mapstructure:"churn" desc:"S_churn of solver edm: noise that is added before each step; 0 is heun" valid:"0..1000"`
	Grid         string  `mapstructure:"grid" desc:"spacing of the solver's times" valid:"uniform|cosine|quadratic"`
	Steps        int     `mapstructure:"steps" desc:"steps of the solver" valid:"1..10000"`
	FirstTime    float64 `mapstructure:"first_time" desc:"where the solver's times begin; up to there the Gaussian part alone is followed, exactly; more than 0 where the drift is singular at 0" valid:"0..0.5"`
	LastTime     float64 `mapstructure:"last_time" desc:"where the solver's times end; less than 1 where the drift is singular at 1" valid:"0.5..1"`
	Last         string  `mapstructure:"last_step" desc:"how the state gets from last_time to 1: not at all, by the drift of the SDE or of the ODE there, or by the mean of the observation given the state" valid:"none|mean|euler|tweedie"`
}

// NetworkConfig describes networks and their training.
type NetworkConfig struct {
	Hidden     int     `mapstructure:"hidden" desc:"width" valid:"4..1024"`
	Blocks     int     `mapstructure:"blocks" desc:"residual blocks" valid:"1..16"`
	Folds      int     `mapstructure:"folds" desc:"networks, each blind for one block of days" valid:"2..16"`
	Attention  int     `mapstructure:"attention" desc:"heads with which the networks of a joint model see other places; a divisor of hidden" valid:"1..64"`
	Separate   bool    `mapstructure:"separate" desc:"a network for each head, trained with its own loss, instead of one network for both"`
	Times      string  `mapstructure:"times" desc:"density of the interpolant times that are trained on; weights undo it" valid:"uniform|ends|middle"`
	Antithetic bool    `mapstructure:"antithetic" desc:"train on latents in pairs of both signs"`
	Batch      int     `mapstructure:"batch" desc:"rows of a training step" valid:"16..65536"`
	MaxSteps   int     `mapstructure:"max_steps" desc:"training steps at most" valid:"1.."`
	Rate       float64 `mapstructure:"rate" desc:"highest learning rate" valid:"0..1"`
	Decay      float64 `mapstructure:"weight_decay" desc:"pull of the weights towards zero" valid:"0..10"`
	MinDays    int     `mapstructure:"min_days" desc:"days of archived forecasts below which there is no network" valid:"4.."`
	MinCases   int     `mapstructure:"min_cases" desc:"archived cases below which there is no network" valid:"16.."`
	Capacity   int     `mapstructure:"capacity" desc:"archived cases at most that are held in memory for training; of more, every k-th" valid:"1000.."`
}

// CoherenceConfig is the kernel of the noise fields.
type CoherenceConfig struct {
	Learn    bool          `mapstructure:"learn" desc:"learn the other keys from archived errors of each variable; what is configured is what they are pulled towards when the archive is short"`
	Regional float64       `mapstructure:"regional" desc:"share of the noise that all places have in common" valid:"0..1"`
	Range    float64       `mapstructure:"range" desc:"distance in km over which the rest falls to 1/e" valid:"0.001.."`
	Height   float64       `mapstructure:"height" desc:"difference of altitude in m over which it falls to 1/e" valid:"0.001.."`
	Lead     time.Duration `mapstructure:"lead" desc:"lead time over which the correlation falls to 1/e; 0: none between lead times" valid:"0s.."`
}

// ExportConfig says what is written, and where.
type ExportConfig struct {
	Path        string            `mapstructure:"path" desc:"product of a cycle: a template with {date:...} in strftime letters" path:"true" result:"no"`
	Deflate     int               `mapstructure:"deflate" desc:"compression of the product; 0 is none" valid:"0..9" result:"no"`
	Implausible string            `mapstructure:"implausible" desc:"what to deliver at places where calibrated members cannot be right (not finite, beyond the bounds of the variable, without spread, or far from the raw mean): raw members, the members as they are, or nothing at all" valid:"raw|warn|fail"`
	Departure   float64           `mapstructure:"max_departure" desc:"how far the mean of calibrated members may plausibly be from the raw mean, in multiples of the root mean square of past errors of the raw mean and of the spread of the raw members" valid:"1..1000"`
	DateCreated bool              `mapstructure:"date_created" desc:"write the time of creation into the product; without it the same run gives the same bytes" result:"no"`
	Metadata    map[string]string `mapstructure:"metadata" desc:"global attributes of the product, such as title, institution, source, license, creator_name"`
}

// OperationsConfig says how the program behaves when it runs unattended.
type OperationsConfig struct {
	Threads    int           `mapstructure:"threads" desc:"threads to use; 0: OMP_NUM_THREADS, SLURM_CPUS_PER_TASK, or what the machine allows" valid:"0..4096" result:"no"`
	LockWait   time.Duration `mapstructure:"lock_wait" desc:"how long to wait for another run with the same state folder" valid:"0s.." result:"no"`
	MinMembers int           `mapstructure:"min_members" desc:"fewest members of a raw forecast that are worth calibrating; fewer is an input error" valid:"1..10000"`
	FrameAge   time.Duration `mapstructure:"max_frame_age" desc:"how long before the cycle, not counting calibrate.delay, the statistical forecast may last have learned from observations; beyond that the product is degraded; 0: no limit" valid:"0s.." result:"no"`
	NetworkAge time.Duration `mapstructure:"max_network_age" desc:"how long before the cycle, not counting calibrate.delay, the last observations may be that the networks were trained on; beyond that the product is degraded; 0: no limit" valid:"0s.." result:"no"`
	OnMissing  string        `mapstructure:"on_missing" desc:"what to deliver when there is too little to train on: the statistical baseline, raw members, or nothing; where even the baseline has too little, it is raw members; previous-cycle: as baseline, and the latest earlier forecast when that of a cycle is missing or cannot be used, for the valid times that it still covers" valid:"baseline|raw|fail|previous-cycle"`
	Metrics    string        `mapstructure:"metrics" desc:"file of metrics for Prometheus, written after each run, as the textfile collector of node_exporter reads them; empty: none" path:"true" result:"no"`
	Drift      float64       `mapstructure:"drift" desc:"probability, without a change, of an alarm that CRPS or bias of the last seven days has left the range of the weeks before, a test; 0: no alarm" valid:"0..0.1" result:"no"`
	Memory     int           `mapstructure:"memory" desc:"memory in MB that a run should stay below: near it, what is no longer needed is given back sooner, and an eighth of it at most holds values of the archive for reuse; what a cycle needs at once is not limited by it; 0: no limit" valid:"0.." result:"no"`
	MinFree    int           `mapstructure:"min_free" desc:"free space in MB, of the state folder and of products, below which no work is begun" valid:"0.." result:"no"`
}

// SlurmConfig says what the jobs of sipipe submit ask for.
type SlurmConfig struct {
	Partition   string        `mapstructure:"partition" desc:"partition of all jobs; empty: the default of the cluster" result:"no"`
	Account     string        `mapstructure:"account" desc:"account that jobs are charged to; empty: the default of the user" result:"no"`
	CPUs        int           `mapstructure:"cpus" desc:"processors of a task" valid:"1..4096" result:"no"`
	Memory      string        `mapstructure:"memory" desc:"memory of a task, such as 4G; empty: the default of the cluster" result:"no"`
	Time        time.Duration `mapstructure:"time" desc:"time limit of a task" valid:"1m.." result:"no"`
	TrainCPUs   int           `mapstructure:"train_cpus" desc:"processors of the job that trains; 0: as a task" valid:"0..4096" result:"no"`
	TrainMemory string        `mapstructure:"train_memory" desc:"memory of the job that trains; empty: as a task" result:"no"`
	TrainTime   time.Duration `mapstructure:"train_time" desc:"time limit of the job that trains; 0: as a task" valid:"0s.." result:"no"`
	AtOnce      int           `mapstructure:"at_once" desc:"tasks of an array that run at the same time at most; 0: as many as there is room for" valid:"0..100000" result:"no"`
	Options     []string      `mapstructure:"options" desc:"more options of sbatch for all jobs, such as [--qos=short, --exclude=node7]" result:"no"`
}

// DefaultConfig returns the configuration before any file, variable or flag.
func DefaultConfig() Config {
	return Config{
		Ingest: IngestConfig{
			// A grid is delivered as a grid unless somebody asks otherwise.
			GridToStations: "off",
			// What is wrong at the source should be heard of, not calibrated.
			Implausible: "fail",
		},
		Calibrate: CalibrateConfig{
			// Enough that the sampling noise of the mean is below a tenth of the
			// spread, few enough to be written and read in a second.
			Members: 50,
			Seed:    1,
			Delay:   0,
			Method:  "interpolant",
			// docs/explanation/skill.md compares the two.
			Model: "pointwise",
			// Members of one model that differ in their start only are exchangeable.
			Exchangeable: "auto",
			// 50 independent members cost 2 % of CRPS against their distribution,
			// stratified ones a tenth of that.
			Draw: "stratified",
			// docs/explanation/skill.md says how these were chosen.
			Interpolant: InterpolantConfig{
				Path: "linear", Gamma: "quadratic", Amplitude: 1, Heads: "v-eta",
				Epsilon: "gamma", EpsilonScale: 5, Dress: 0.5,
				Solver: "exponential", Grid: "uniform", Steps: 10, LastTime: 1, Last: "none",
			},
			Network: NetworkConfig{
				Hidden: 32, Blocks: 2, Attention: 4, Folds: 4, Times: "uniform", Antithetic: true, Batch: 512, MaxSteps: 1500,
				Rate: 0.003, Decay: 0.05, MinDays: 12, MinCases: 300, Capacity: 200000,
			},
			// Fitted to residuals of 48-hour temperature in the Pacific Northwest.
			Coherence: CoherenceConfig{Learn: true, Regional: 0.1, Range: 127, Height: 874, Lead: 24 * time.Hour},
		},
		Export: ExportConfig{
			Path: "out/{date:%Y/%m/%d}/sipipe_{date:%Y%m%d%H}.nc",
			// Beyond 4, members shrink by less than a hundredth and take twice the time.
			Deflate: 4,
			// Raw members are worth more than none, and cannot be the program's own fault.
			Implausible: "raw",
			// Four archives of three variables come to 3.1 at most.
			Departure: 5,
		},
		State: "state",
		Operations: OperationsConfig{
			// A schedule that starts twice by mistake should hear of it at once.
			LockWait: 0,
			// A spread takes two members.
			MinMembers: 2,
			// The shortest memory of the frame is a week.
			FrameAge: 14 * 24 * time.Hour,
			// By the calendar networks are trained every 16 weeks at least.
			NetworkAge: 180 * 24 * time.Hour,
			// A product that is somewhat worse is of more use than none.
			OnMissing: "baseline",
			// A false alarm in twenty years of weeks, a score.
			Drift: 0.001,
			// Hundreds of products of a few hundred stations.
			MinFree: 100,
		},
		Slurm: SlurmConfig{
			// The networks of a cycle's model are trained at the same time, four by
			// default; sampling a cycle of a few hundred stations takes seconds.
			CPUs: 2, Memory: "2G", Time: time.Hour, TrainCPUs: 4, TrainTime: 6 * time.Hour,
		},
	}
}
