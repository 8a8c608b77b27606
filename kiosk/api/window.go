package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"yuanban/kiosk/evaluation"
	"yuanban/kiosk/window"
)

// invitation is what a window PC sees of one: how it stands, never the grade.
type invitation struct {
	ID      string           `json:"id"`
	Case    string           `json:"case"`
	Stage   string           `json:"stage"`
	Service int              `json:"service"`
	Staff   string           `json:"staff,omitempty"`
	Window  string           `json:"window,omitempty"`
	State   evaluation.State `json:"state"`
	Opened  time.Time        `json:"opened"`
	Expires time.Time        `json:"expires,omitzero"`
}

func shown(v evaluation.Invitation) invitation {
	return invitation{ID: v.ID, Case: v.Case, Stage: v.Stage, Service: v.Service, Staff: v.Staff, Window: v.Window,
		State: v.State, Opened: v.OpenedAt, Expires: v.Expires}
}

func (a *API) postInvitation(w http.ResponseWriter, r *http.Request) error {
	var in window.Invitation
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if err := valid(in); err != nil {
		return &problem{http.StatusUnprocessableEntity, "invalid", err}
	}
	inv, err := a.opt.Window.Invite(r.Context(), in)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/kiosk/v1/invitations/"+inv.ID)
	return reply(w, http.StatusCreated, shown(inv))
}

// valid checks an invitation against the limits of the national interface: a case number has at most 50 characters, a case at most 99 services.
func valid(in window.Invitation) error {
	stages := []string{"acceptance", "completion", "special"}
	switch {
	case in.Case == "" || utf8.RuneCountInString(in.Case) > 50:
		return fmt.Errorf("case: a case number of 1 to 50 characters is needed")
	case strings.TrimSpace(in.Case) != in.Case || strings.ContainsFunc(in.Case, unicode.IsControl):
		return fmt.Errorf("case: %q has spaces around it or control characters in it; it would count as another case", in.Case)
	case !slices.Contains(stages, in.Stage):
		return fmt.Errorf("stage: %q is none of %v", in.Stage, stages)
	case in.Service < 1 || in.Service > 99:
		return fmt.Errorf("service: %d is not between 1 and 99", in.Service)
	case utf8.RuneCountInString(in.Staff) > 50:
		return fmt.Errorf("staff: an id has at most 50 characters")
	}
	return nil
}

func (a *API) getInvitation(w http.ResponseWriter, r *http.Request) error {
	inv, err := a.opt.Ratings.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, shown(inv))
}

func (a *API) deleteInvitation(w http.ResponseWriter, r *http.Request) error {
	if err := a.opt.Window.Cancel(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) getWindow(w http.ResponseWriter, r *http.Request) error {
	s, err := a.opt.Window.Status(r.Context())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s)
}

// putWindow changes who sits at the window and whether it is paused; a field left out stays as it is.
func (a *API) putWindow(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Staff  *string `json:"staff"`
		Paused *bool   `json:"paused"`
	}
	if err := decode(w, r, &in); err != nil {
		return err
	}
	if in.Staff != nil {
		if err := a.opt.Desk.SetStaff(r.Context(), *in.Staff); err != nil {
			return err
		}
	}
	if in.Paused != nil {
		if err := a.opt.Desk.Pause(r.Context(), *in.Paused); err != nil {
			return err
		}
	}
	return a.getWindow(w, r)
}

// getCounts tells how many were invited and what became of it, since a time (default: today). Never by level: that is for the
// platform and for managers, not for the window.
func (a *API) getCounts(w http.ResponseWriter, r *http.Request) error {
	now := time.Now()
	from := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	if s := r.URL.Query().Get("from"); s != "" {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return &problem{http.StatusBadRequest, "bad_request", fmt.Errorf("from: %q is not a time such as 2026-01-31T08:00:00+08:00", s)}
		}
		from = t
	}
	c, err := a.opt.Ratings.Counts(r.Context(), from, now)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]int{"services": c.Services, "invited": c.Invited, "rated": c.Rated,
		"declined": c.Declined, "timeout": c.Timeout, "fault": c.Fault})
}
