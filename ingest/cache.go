package ingest

import (
	"sync"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// cache keeps the stored values used last, up to a number of bytes in all. Values are
// shared between callers and must not be changed.
type cache struct {
	mu     sync.Mutex
	values *lru.LRU[string, cached]
	bytes  int
	limit  int
}

type cached struct {
	value any
	bytes int
}

// maxCacheBytes bounds the stored values in memory: a few blocks of cycles and what all
// files of observations have for a year or a month.
const maxCacheBytes = 128 << 20

func newCache(limit int) *cache {
	c := &cache{limit: limit}
	// The number of entries is not what counts.
	c.values, _ = lru.NewLRU(1<<20, func(_ string, v cached) { c.bytes -= v.bytes })
	return c
}

func (c *cache) get(key string) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.values.Get(key)
	return v.value, ok
}

// add keeps a value, unless it is so large that little else would stay.
func (c *cache) add(key string, value any, bytes int) {
	if bytes > c.limit/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values.Remove(key)
	c.values.Add(key, cached{value, bytes})
	c.bytes += bytes
	for c.bytes > c.limit {
		c.values.RemoveOldest()
	}
}

func (c *cache) purge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values.Purge()
}
