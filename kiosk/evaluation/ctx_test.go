package evaluation

import "context"

// ctx serves tests and properties alike; nothing here waits.
var ctx = context.Background()
