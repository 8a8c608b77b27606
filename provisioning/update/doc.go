// Package update brings a machine from one version of its configuration, content and program to the next, and back when the
// next one does not work: Download, Install, Verify, Commit, Rollback.
//
// A version is a folder that is written once and never changed. Which one is in force is told by one symbolic link, which is
// exchanged in one step:
//
//	DIR/versions/7/…          as bundle 7 was unpacked, with bundle.json, its manifest
//	DIR/current -> versions/7
//	DIR/state.json            what is committed, and what is on trial
//
// A version is on trial from the moment before its first effect until it has kept the machine well for a while. The power may
// fail at any moment: Recover, which runs at each start before the machine does, finds a trial and either goes on with it or, at the
// second time, takes it back. So a machine is always on one side or the other, never between.
package update
