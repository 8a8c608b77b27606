package idnumber_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yuanban/devices/idnumber"
)

// check runs one of the checks whose answer is only the number.
type check func(string) (string, error)

func foreign(s string) (string, error) {
	f, err := idnumber.ParseForeign(s)
	return f.Number, err
}

func mobile(s string) (string, error) {
	if err := idnumber.CheckMobile(s); err != nil {
		return "", err
	}
	return idnumber.Normalise(s), nil
}

// checks are the checks by the names they have in testdata/numbers.txt.
func checks() map[string]check {
	return map[string]check{
		"resident": idnumber.CheckResident, "upgrade": idnumber.UpgradeResident, "permit": idnumber.CheckPermit, "pass": idnumber.CheckPass,
		"foreign": foreign, "credit": idnumber.CheckCredit, "mobile": mobile,
	}
}

// TestReferenceNumbers: every number of the reference gets its verdict, and a problem is where it is.
func TestReferenceNumbers(t *testing.T) {
	data, err := os.ReadFile("testdata/numbers.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kind, rest, _ := strings.Cut(line, " ")
		number, verdict, _ := strings.Cut(rest, " ")
		seen[kind]++
		got, err := checks()[kind](number)
		if verdict, equal, ok := strings.Cut(verdict, " ="); verdict == "ok" {
			want := idnumber.Normalise(number)
			if ok {
				want = equal
			}
			if got != want || err != nil {
				t.Errorf("line %d, %s: got %q, %v; want %q", i+1, line, got, err, want)
			}
			continue
		}
		p, ok := errors.AsType[*idnumber.Problem](err)
		if !ok || got != "" {
			t.Errorf("line %d, %s: got %q, %v", i+1, line, got, err)
			continue
		}
		said := strings.TrimSpace(fmt.Sprintf("%s %d %s", p.Kind, p.Pos, p.Want))
		if want, any := strings.CutSuffix(verdict, "*"); said != verdict && !(any && strings.HasPrefix(said, want)) {
			t.Errorf("line %d, %s: the problem is %s", i+1, line, said)
		}
	}
	for kind := range checks() {
		if seen[kind] < 2 {
			t.Errorf("%d numbers of kind %s", seen[kind], kind)
		}
	}
}

// TestRegions: the provinces of GB/T 2260, and none besides. What follows them is not looked at: an abolished district
// stays on cards for life.
func TestRegions(t *testing.T) {
	known := map[int]bool{71: true, 81: true, 82: true}
	for _, r := range [][2]int{{11, 15}, {21, 23}, {31, 37}, {41, 46}, {50, 54}, {61, 65}} {
		for p := r[0]; p <= r[1]; p++ {
			known[p] = true
		}
	}
	for p := range 100 {
		resident := fmt.Sprintf("%02d999919800101001", p)
		_, err := idnumber.CheckResident(resident + string(idnumber.ResidentCheck(resident)))
		if problem, _ := errors.AsType[*idnumber.Problem](err); (err == nil) != known[p] || err != nil && problem.Kind != idnumber.Region {
			t.Errorf("%02d on a resident's card: %v", p, err)
		}
		old := fmt.Sprintf("KAZ%02d009001011", p)
		_, err = idnumber.ParseForeign(old + string(idnumber.ForeignCheck(old)))
		if (err == nil) != known[p] {
			t.Errorf("%02d on a foreign resident's old card: %v", p, err)
		}
		now := fmt.Sprintf("9%02d39819800101001", p)
		_, err = idnumber.ParseForeign(now + string(idnumber.ResidentCheck(now)))
		if (err == nil) != known[p] {
			t.Errorf("%02d on a foreign resident's new card: %v", p, err)
		}
		permit := fmt.Sprintf("%02d000019800101001", p)
		_, err = idnumber.CheckPermit(permit + string(idnumber.ResidentCheck(permit)))
		if (err == nil) != (p >= 81 && p <= 83) {
			t.Errorf("%02d on a permit: %v", p, err)
		}
	}
}

// TestForeignNumbersTell: what a foreign permanent resident's number is made of, in both layouts.
func TestForeignNumbersTell(t *testing.T) {
	for _, want := range []idnumber.Foreign{
		{Number: "KAZ110090123105", Issue: 2017, Country: "KAZ", Region: "1100", Birth: "901231"},
		{Number: "932682198501010017", Issue: 2023, Country: "682", Region: "32", Birth: "19850101"},
	} {
		if got, err := idnumber.ParseForeign(want.Number); got != want || err != nil {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

func TestTypedFormsAreUnderstood(t *testing.T) {
	for _, tc := range []struct {
		check       check
		typed, want string
	}{
		{idnumber.CheckResident, "11010519491231002x", "11010519491231002X"},
		{idnumber.CheckResident, "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"},
		{idnumber.CheckResident, " 110105 19491231 002ｘ　", "11010519491231002X"},
		{idnumber.UpgradeResident, "110105491231002", "11010519491231002X"},
		{idnumber.CheckCredit, "91350100-m000100y43", "91350100M000100Y43"},
		{foreign, "kaz110090123105", "KAZ110090123105"},
		{mobile, "138 0000－1234", "13800001234"},
	} {
		if got, err := tc.check(tc.typed); got != tc.want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", tc.typed, got, err, tc.want)
		}
	}
}

func TestProblemsSayWhereAndWhat(t *testing.T) {
	tomorrow := time.Now().AddDate(0, 0, 3).Format("20060102")
	for _, tc := range []struct {
		check  check
		number string
		want   idnumber.Problem
	}{
		{idnumber.CheckResident, "", idnumber.Problem{Kind: idnumber.Length, Got: "0", Want: "18"}},
		{idnumber.CheckResident, "1101051949123100", idnumber.Problem{Kind: idnumber.Length, Got: "16", Want: "18"}},
		{idnumber.CheckResident, "11O10519491231002X", idnumber.Problem{Kind: idnumber.Letter, Pos: 3, Got: "O", Want: "0"}},
		{idnumber.CheckResident, "1101A519491231002X", idnumber.Problem{Kind: idnumber.Alphabet, Pos: 5, Got: "A", Want: "digit"}},
		{idnumber.CheckResident, "1101张519491231002X", idnumber.Problem{Kind: idnumber.Alphabet, Pos: 5, Got: "张", Want: "digit"}},
		{idnumber.CheckResident, "11010519491231002Y", idnumber.Problem{Kind: idnumber.Alphabet, Pos: 18, Got: "Y"}},
		{idnumber.CheckResident, "990105194912310023", idnumber.Problem{Kind: idnumber.Region, Pos: 1, Got: "99"}},
		{idnumber.CheckResident, "110105190002290021", idnumber.Problem{Kind: idnumber.Date, Pos: 7, Got: "19000229"}},
		{idnumber.CheckResident, "110105" + tomorrow + "0021", idnumber.Problem{Kind: idnumber.Future, Pos: 7, Got: tomorrow}},
		{idnumber.CheckResident, "340524198001010013", idnumber.Problem{Kind: idnumber.Check, Pos: 18, Got: "3", Want: "X"}},
		{idnumber.CheckResident, "110101197810270021", idnumber.Problem{Kind: idnumber.Check, Pos: 18, Got: "1", Want: "9"}},
		{idnumber.CheckPermit, "810000199408230022", idnumber.Problem{Kind: idnumber.Check, Pos: 18, Got: "2", Want: "1"}},
		{idnumber.CheckPermit, "820000199408230022", idnumber.Problem{Kind: idnumber.Check, Pos: 18, Got: "2", Want: "3"}},
		{idnumber.CheckPermit, "11010519491231002X", idnumber.Problem{Kind: idnumber.Prefix, Pos: 1, Got: "110105", Want: "810000, 820000, 830000"}},
		{foreign, "KAZ110090123107", idnumber.Problem{Kind: idnumber.Check, Pos: 15, Got: "7", Want: "5"}},
		{foreign, "K1Z110090123105", idnumber.Problem{Kind: idnumber.Alphabet, Pos: 2, Got: "1", Want: "letter"}},
		{foreign, "KAZ990090123105", idnumber.Problem{Kind: idnumber.Region, Pos: 4, Got: "99"}},
		{foreign, "KAZ110090023105", idnumber.Problem{Kind: idnumber.Date, Pos: 8, Got: "900231"}},
		{foreign, "911398199012310022", idnumber.Problem{Kind: idnumber.Check, Pos: 18, Got: "2", Want: "1"}},
		{foreign, "11010519491231002X", idnumber.Problem{Kind: idnumber.Prefix, Pos: 1, Got: "1", Want: "9"}},
		{foreign, "9113981990123100", idnumber.Problem{Kind: idnumber.Length, Got: "16", Want: "15 or 18"}},
		{idnumber.CheckCredit, "91330106MA27Y4U47Y", idnumber.Problem{Kind: idnumber.Check, Pos: 18, Got: "Y", Want: "R"}},
		{idnumber.CheckCredit, "91O30106MA27Y4U47R", idnumber.Problem{Kind: idnumber.Letter, Pos: 3, Got: "O", Want: "0"}},
		{idnumber.CheckCredit, "91330106MA27V4U47R", idnumber.Problem{Kind: idnumber.Letter, Pos: 13, Got: "V", Want: "U"}},
		{idnumber.CheckCredit, "91330106MA27+4U47R", idnumber.Problem{Kind: idnumber.Alphabet, Pos: 13, Got: "+"}},
		{idnumber.CheckCredit, "9133A106MA27Y4U47R", idnumber.Problem{Kind: idnumber.Alphabet, Pos: 5, Got: "A", Want: "digit"}},
		{idnumber.CheckCredit, "9133", idnumber.Problem{Kind: idnumber.Length, Got: "4", Want: "18"}},
		{mobile, "1380000123", idnumber.Problem{Kind: idnumber.Length, Got: "10", Want: "11"}},
		{mobile, "23800001234", idnumber.Problem{Kind: idnumber.Prefix, Pos: 1, Got: "2", Want: "1"}},
		{mobile, "12800001234", idnumber.Problem{Kind: idnumber.Prefix, Pos: 2, Got: "12", Want: "13 to 19"}},
	} {
		got, err := tc.check(tc.number)
		p, ok := errors.AsType[*idnumber.Problem](err)
		if !ok || got != "" {
			t.Errorf("%s: got %q, %v", tc.number, got, err)
			continue
		}
		if *p != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.number, *p, tc.want)
		}
		if !strings.HasPrefix(p.Error(), "cannot accept number: ") {
			t.Errorf("%s: %q", tc.number, p)
		}
	}
}

// The organisation code inside a credit code has a check character of its own.
func TestCreditOrganisationCheck(t *testing.T) {
	head := "91350100M000100Y5" // position 17 should be 4
	_, err := idnumber.CheckCredit(head + string(idnumber.CreditCheck(head)))
	p, ok := errors.AsType[*idnumber.Problem](err)
	if want := (idnumber.Problem{Kind: idnumber.Check, Pos: 17, Got: "5", Want: "4"}); !ok || *p != want {
		t.Errorf("got %v, want %+v", err, want)
	}
}

// One wrong digit is never accepted: what the check character is for.
func TestEverySingleMistakeIsCaught(t *testing.T) {
	for _, tc := range []struct {
		check            check
		number, alphabet string
	}{
		{idnumber.CheckResident, "11010519491231002X", "0123456789"},
		{idnumber.CheckCredit, "91350100M000100Y43", "0123456789ABCDEFGHJKLMNPQRTUWXY"},
		{idnumber.CheckPermit, "81000019900109008X", "0123456789"},
		{foreign, "932682198501010017", "0123456789"},
	} {
		for i := range tc.number {
			for _, r := range tc.alphabet {
				if wrong := tc.number[:i] + string(r) + tc.number[i+1:]; wrong != tc.number {
					if _, err := tc.check(wrong); err == nil {
						t.Errorf("%s accepted", wrong)
					}
				}
			}
		}
	}
}

// The recursion of the standard and its table of weights are the same thing.
func TestResidentCheckIsTheWeightedSum(t *testing.T) {
	weights := []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{17}`).Draw(t, "digits")
		sum := 0
		for i, w := range weights {
			sum += w * int(digits[i]-'0')
		}
		if got, want := idnumber.ResidentCheck(digits), "10X98765432"[sum%11]; got != want {
			t.Fatalf("got %c, want %c", got, want)
		}
	})
}

func TestMasks(t *testing.T) {
	for _, tc := range []struct {
		mask     func(string) string
		in, want string
	}{
		{idnumber.MaskNumber, "11010519491231002X", "110105********002X"},
		{idnumber.MaskNumber, "KAZ110090123105", "KAZ110*****3105"},
		{idnumber.MaskNumber, "H00000001", "H0*****01"},
		{idnumber.MaskNumber, "1234", "****"},
		{idnumber.MaskNumber, "", ""},
		{idnumber.MaskName, "张某三", "张*三"},
		{idnumber.MaskName, "张三", "张*"},
		{idnumber.MaskName, "欧阳某某", "欧**某"},
		{idnumber.MaskName, "艾某力·买某提", "艾**·**提"},
		{idnumber.MaskName, "张", "*"},
		{idnumber.MaskName, "EXAMPLE, JANE", "E******* J***"},
		{idnumber.MaskName, "", ""},
		{idnumber.MaskPhone, "13800001234", "138****1234"},
		{idnumber.MaskPhone, "138 0000 1234", "138****1234"},
		{idnumber.MaskPhone, "021-12345678", "021****5678"},
		{idnumber.MaskPhone, "12345678", "****5678"},
		{idnumber.MaskPhone, "12345", "*****"},
	} {
		if got := tc.mask(tc.in); got != tc.want {
			t.Errorf("%q masked as %q, want %q", tc.in, got, tc.want)
		}
	}
}

// No text made of a problem contains the birth date, whichever way it is printed.
func TestProblemTextsKeepTheNumberBack(t *testing.T) {
	_, err := idnumber.CheckResident("110105194913310021")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("typed", "problem", err)
	for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), log.String()} {
		if text == "" || strings.Contains(text, "19491331") {
			t.Errorf("%q", text)
		}
	}
}

// Whatever is typed, the checks neither panic nor accept what they would not accept
// again, and masks keep the length.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"11010519491231002X", "KAZ110090123105", "932682198501010017", "91350100M000100Y43", "１３８\xff", "张三"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, c := range checks() {
			got, err := c(s)
			if err != nil {
				p, ok := errors.AsType[*idnumber.Problem](err)
				if !ok || got != "" || p.Pos < 0 || p.Pos > len([]rune(idnumber.Normalise(s))) {
					t.Errorf("check %s of %q: %q, %#v", i, s, got, err)
				}
				continue
			}
			if idnumber.Normalise(got) != got {
				t.Errorf("check %s accepts %q as %q", i, s, got)
			}
		}
		if m := idnumber.MaskNumber(s); len([]rune(m)) != len([]rune(s)) {
			t.Errorf("%q masked as %q", s, m)
		}
		idnumber.MaskName(s)
		idnumber.MaskPhone(s)
	})
}

func BenchmarkCheckCredit(b *testing.B) {
	for b.Loop() {
		if _, err := idnumber.CheckCredit("91350100M000100Y43"); err != nil {
			b.Fatal(err)
		}
	}
}
