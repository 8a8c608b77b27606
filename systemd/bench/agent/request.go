package agent

import "time"

// request opens a stream: exactly one of its fields is set.
type request struct {
	Run      *runRequest  `json:"run,omitempty"`
	Put      *putRequest  `json:"put,omitempty"`
	Get      string       `json:"get,omitempty"` // path
	Write    []Step       `json:"write,omitempty"`
	Dial     *sockRequest `json:"dial,omitempty"`
	Listen   *sockRequest `json:"listen,omitempty"`
	Accepted uint32       `json:"accepted,omitempty"` // by the listener on that stream; guest to host
}

type runRequest struct {
	Args   []string `json:"args"`
	Env    []string `json:"env,omitempty"` // beside the agent's own
	Dir    string   `json:"dir,omitempty"`
	Errors uint32   `json:"errors"` // the stream of its standard error; 0: that of its standard output
}

type putRequest struct {
	Path string `json:"path"`
	Mode uint32 `json:"mode"`
}

type sockRequest struct {
	Network string `json:"network"`
	Address string `json:"address"`
}

// Step is a write to a file that exists, such as an attribute of sysfs.
type Step struct {
	After time.Duration `json:"after,omitempty"` // pause before it
	Path  string        `json:"path"`            // may be a pattern of path/filepath; exactly one file must match
	Data  string        `json:"data"`
}
