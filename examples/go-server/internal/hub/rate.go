package hub

import "time"

// bucket lets so many requests through at once, and so many a second in the long run.
type bucket struct {
	left   float64
	filled time.Time
}

func newBucket(now time.Time) bucket { return bucket{requestsAtOnce, now} }

func (b *bucket) take(now time.Time) bool {
	b.left = min(requestsAtOnce, b.left+requestsPerS*now.Sub(b.filled).Seconds())
	b.filled = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
