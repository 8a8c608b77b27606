// Package agent is how the bench reaches into its virtual machine without a network: one byte pipe, a virtio serial port,
// that carries any number of streams. The host runs programs, moves files, writes to sysfs with exact pauses, and opens
// sockets in the guest in both directions; the guest's half is Serve, which the program bench-agent runs.
//
// On the pipe are frames: kind (1 byte), stream (4 bytes), length (4 bytes), big-endian, then so many bytes, MaxFrame at
// most. A stream begins with frameOpen and a request in JSON, carries bytes in both directions, each bounded by a window
// that the reader opens again as it reads, and ends in each direction by frameEnd with an outcome in JSON.
//
// Either end may vanish in the middle of a frame and come back. A session therefore begins with the host's hello: bytes
// that end whatever frame the guest was in the middle of, then a frameHello with a random word. The guest drops everything
// of the session before and says the same word; the host overhears all bytes until then.
package agent
