package provisioning

import "testing"

func TestControlOf(t *testing.T) {
	status := "Package: kiosk\nStatus: install ok installed\nVersion: 0.2.0\nConffiles:\n /etc/kiosk/kiosk.yaml 0123\n /etc/x 4567\nDescription: a machine\n of a park\n"
	if got, want := controlOf(status), "Package: kiosk\nVersion: 0.2.0\nDescription: a machine\n of a park\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
