package evaluation

// What facts say in clear. The level is on the wire as the national interface has it: "5" 非常满意 … "1" 非常不满意.

type serviceBody struct {
	Case    string `json:"case"`
	Stage   string `json:"stage"`
	Service int    `json:"service"`
}

func serviceOf(inv Invitation) serviceBody {
	return serviceBody{Case: inv.Case, Stage: inv.Stage, Service: inv.Service}
}

type invitationBody struct {
	serviceBody
	Invitation string  `json:"invitation"`
	Channel    Channel `json:"shown_on"`
	Device     string  `json:"device"`
	Window     string  `json:"window,omitempty"`
	Staff      string  `json:"staff,omitempty"`
}

type endedBody struct {
	serviceBody
	Invitation string `json:"invitation"`
	Outcome    State  `json:"outcome"`
}

type givenBody struct {
	serviceBody
	Rating         string `json:"rating"` // also the invitation's id
	Level          string `json:"level"`
	Channel        string `json:"channel"` // code, see Codes
	Source         string `json:"source"`
	Device         string `json:"device"`
	Window         string `json:"window,omitempty"`
	Staff          string `json:"staff,omitempty"`
	ReasonsVersion string `json:"reasons_version"`
}

type detailedBody struct {
	Rating         string   `json:"rating"`
	Codes          []string `json:"codes"`
	Text           bool     `json:"text"` // there is one, in the sealed part
	ReasonsVersion string   `json:"reasons_version"`
}

type closedBody struct {
	Rating   string `json:"rating"`
	Unstated bool   `json:"unstated"` // 未说明原因
}
