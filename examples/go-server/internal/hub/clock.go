package hub

import "time"

// Clock tells the time and calls back; tests replace it.
type Clock interface {
	Now() time.Time
	AfterFunc(after time.Duration, call func()) Timer
}

// Timer is a call that is still to come.
type Timer interface{ Stop() bool }

// SystemClock is the clock of this machine.
type SystemClock struct{}

// Now returns the time of day, with a monotonic reading beside it.
func (SystemClock) Now() time.Time { return time.Now() }

// AfterFunc calls in a goroutine of its own.
func (SystemClock) AfterFunc(after time.Duration, call func()) Timer {
	return time.AfterFunc(after, call)
}
