package pipeline

import "context"

// trainStage makes sure that there is a valid model for the cycle.
func (j *job) trainStage() Stage {
	return Stage{Name: "train", Run: func(context.Context) error {
		return nil
	}}
}
