package control

import (
	"context"
	"sync"
	"time"
)

const (
	period  = 5 * time.Millisecond   // short enough to meet a stall of a few milliseconds
	slot    = 250 * time.Millisecond // of each the worst is kept
	keeping = 10 * time.Minute       // no scenario is longer
)

// Lateness notes how late this process runs what is due: it asks to be woken, and looks when it was.
type Lateness struct {
	mu    sync.Mutex
	worst [][2]int64 // due and ran; one for each slot
}

// Sample does so until the context is done; now is a monotonic clock.
func (l *Lateness) Sample(ctx context.Context, now func() int64) {
	timer := time.NewTimer(period)
	defer timer.Stop()
	for {
		due := now() + period.Nanoseconds()
		timer.Reset(period)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			l.note(due, now())
		}
	}
}

func (l *Lateness) note(dueNS, ranNS int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := len(l.worst) - 1
	switch {
	case newest < 0 || dueNS/slot.Nanoseconds() != l.worst[newest][0]/slot.Nanoseconds():
		l.worst = append(l.worst, [2]int64{dueNS, ranNS})
		if len(l.worst) > int(keeping/slot) {
			l.worst = l.worst[1:]
		}
	case ranNS-dueNS > l.worst[newest][1]-l.worst[newest][0]:
		l.worst[newest] = [2]int64{dueNS, ranNS}
	}
}

// Between returns what was late in a span: when something was due, and when it ran.
func (l *Lateness) Between(fromNS, toNS int64) [][2]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	late := [][2]int64{}
	for _, each := range l.worst {
		if each[1] >= fromNS && each[0] <= toNS {
			late = append(late, each)
		}
	}
	return late
}
