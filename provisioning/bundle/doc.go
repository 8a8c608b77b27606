// Package bundle writes, judges and unpacks the signed files by which a machine gets its configuration, its content, its
// certificates and its program, on a USB stick as well as over a network.
//
// A bundle is one file:
//
//	yuanban bundle 1 LF
//	LENGTH LF            of the manifest in bytes, decimal
//	MANIFEST LF          JSON, see Manifest
//	SIGNATURE LF         Ed25519 over everything before this line, base64
//	the files, one behind the other in the manifest's order
//
// The manifest names each file with its size and SHA-256, so the signature covers every byte. Nothing of a bundle is believed
// before Judge has accepted it, and nothing is written before that: its length and the number of its files are bounded, its
// paths cannot leave the folder it is unpacked into, and a byte too many or too few is an error.
//
// A bundle is for one machine or for all machines of a site. Secrets in it are sealed to one machine's own key (File.Sealed):
// whoever finds the stick can read the configuration, which is no secret, and nothing else.
package bundle
