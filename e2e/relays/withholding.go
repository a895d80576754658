package sfu

import (
	"sync/atomic"
	"time"
)

const (
	// A relay that forwards nothing for so long serves nobody; whoever comes then has reconnected to it.
	idleAfter = 5 * time.Second
	// For so long it sends them no media: longer than anybody waits for a host.
	withheldFor = 60 * time.Second
)

var forwardedAt, servesSince atomic.Int64

// withheld says whether this relay, which has just begun to serve, keeps its media to itself still.
func withheld() bool {
	now := time.Now().UnixNano()
	if now-forwardedAt.Swap(now) > int64(idleAfter) {
		servesSince.Store(now)
	}
	return now-servesSince.Load() < int64(withheldFor)
}
