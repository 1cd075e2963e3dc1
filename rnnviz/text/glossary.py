"""What each symbol, word and mark on the page means, in one line: the only place that says so."""

from __future__ import annotations

from .language import N_
from .registry import Registry

TERMS: Registry[str] = Registry("term")  # what the page shows -> what it means; views name those that they use
FLOATS = N_("in float32, float16 or bfloat16")
DRAWS = N_("band")
LEAVES = "↓ ↑"
WHOLE = N_("all steps")
TRUSTED, DOUBTED = N_("theory"), N_("theory, not to be trusted")

TERMS.add("T", N_("the sequence length: steps t run from 0 to T, where a thin dashed line stands"))
TERMS.add("H", N_("the number of hidden units: the state hₜ has H numbers, and W_hh is an H × H matrix"))
TERMS.add(
    "W_xh, W_hh, W_hy", N_("the weights from input to state, from one state to the next, and from state to output")
)
TERMS.add("fan_in, fan_out", N_("the units before and after a matrix: H and H for W_hh, D and H for W_xh"))
TERMS.add("φ", N_("the activation function: hₜ = φ(xₜ W_xh + hₜ₋₁ W_hh + b_h)"))
TERMS.add("E h²", N_("the mean of h² over all units and sequences: how large the state is"))
TERMS.add("E (h − E h)²", N_("the variance of h over all units and sequences: E h² minus the square of the mean"))
TERMS.add("E h", N_("the mean of h over all units and sequences"))
TERMS.add(
    N_("saturated"), N_("a unit where φ is flat: it hardly responds to its input, and passes hardly any gradient")
)
TERMS.add("σ_w", N_("σ_w² = H · Var(W_hh), the gain included; Xavier has σ_w = 1 at gain 1"))
TERMS.add("σ_in²", N_("the variance that a unit gets from its input and its bias"))
TERMS.add("∂L/∂h", N_("the gradient: how strongly a small change of the state hₜ changes the loss L"))
TERMS.add("‖ ‖", N_("the length (norm) of the gradient over all units and sequences, here divided by that at step T"))
TERMS.add("∂L/∂c", N_("the same for the cell state c of an LSTM, also divided by the length of ∂L/∂h at step T"))
TERMS.add(N_("×0.65 per step"), N_("the factor by which the length changes at each step back; factors multiply"))
TERMS.add("W_hh ×", N_("the part of that factor that comes from multiplying by W_hh"))
TERMS.add("φ′ ×", N_("the part that comes from the slopes φ′ of the activation, which are below 1 where it is flat"))
TERMS.add("4e-10", N_("4 · 10⁻¹⁰, as computers write it"))
TERMS.add(DRAWS, N_("at each step from the lowest to the highest draw; from 19 draws on, the middle ones only"))
TERMS.add(N_("line"), N_("the median over all draws of weights and inputs; its markers only tell the curves apart"))
TERMS.add(LEAVES, N_("the curve leaves the picture; the number is its value at the step given"))
TERMS.add(
    "|∂L/∂h|",
    N_(
        "how strongly a small change of one unit changes the loss, divided by the length of ∂L/∂h at step T; orange is "
        "exactly 0, grey means no gradient"
    ),
)
TERMS.add(
    "∂L/∂W",
    N_(
        "the gradient of a weight matrix, a sum over all steps, which all use the matrix: for W_hh hₜ₋₁ᵀ ∂L/∂aₜ, "
        "for W_xh xₜᵀ ∂L/∂aₜ, where aₜ is what φ reads, and for W_hy hₜᵀ ∂L/∂yₜ"
    ),
)
TERMS.add(WHOLE, N_("the length of ∂L/∂W itself, the sum over all steps: their parts may cancel"))
TERMS.add("×", N_("the value is exactly 0, which a logarithmic axis cannot show"))
TERMS.add("|", N_("from this step back, the gradient of the first seed's run is nothing but zeros in float32"))
TERMS.add("★", N_("not finite: at this step a number has become too large for a float"))
TERMS.add(
    "√H",
    N_(
        "by two to three times √H steps, one matrix used again and again has raised the mean square over networks "
        "above theory, which draws a new one at each step; the median, which is drawn, follows more slowly"
    ),
)
TERMS.add(TRUSTED, N_("what mean-field theory expects for infinitely many units (H → ∞)"))
TERMS.add(DOUBTED, N_("the same where the median of many networks may differ by more than a factor of 2"))
TERMS.add(FLOATS, N_("what the first scheme's first run keeps of its gradient in floats of a narrower type"))
TERMS.add(N_("pinned"), N_("the first scheme's curve at the settings that were pinned"))
TERMS.add(
    "i, f, g, o", N_("LSTM: gate f keeps the old c, gate i lets the candidate g into it, gate o lets it out to h")
)
TERMS.add("r, z, n", N_("GRU: gate z keeps the old h, gate r lets it into the candidate n"))
TERMS.add(N_("gate"), N_("a number from 0 (closed) to 1 (open) for each unit; the picture has their mean"))
TERMS.add(
    "∂h(T)/∂h(T−k)", N_("the Jacobian: what a small change of the state k steps before the end becomes at the end")
)
TERMS.add(N_("singular value"), N_("the factor by which a matrix stretches one of its H main directions"))
TERMS.add(
    N_("from largest to smallest"),
    N_("the band holds all singular values, and the line is their median; the first seed's first sequence"),
)
TERMS.add(
    N_("eigenvalue"),
    N_("the factor by which W_hh multiplies a direction that it keeps; a complex pair stretches and rotates a plane"),
)
TERMS.add(N_("unit circle"), N_("inside it, W_hh shrinks a direction that it keeps; outside, W_hh stretches it"))
TERMS.add(N_("circular law"), N_("theory for H → ∞: the eigenvalues fill a disc evenly, of radius σ_w"))
TERMS.add(N_("quarter-circle law"), N_("theory for H → ∞: the density of the singular values, which end at 2 σ_w"))
TERMS.add(N_("law for a block"), N_("theory for H → ∞ of one gate's block of a large orthogonal matrix"))
TERMS.add("→ ←", N_("a value outside the picture, and how many more there are"))
TERMS.add(N_("colour"), N_("the value of h: blue below 0, red above, white at 0, grey where it is not finite"))
TERMS.add("•", N_("the scene or the page started with another value"))
TERMS.add(N_("you are here"), N_("the page's gain and sequence length: click elsewhere in the map to go there"))
TERMS.add(
    "6 ξ",
    N_(
        "six correlation lengths: theory expects that a network forgets what lies further back, on both sides of the "
        "critical gain"
    ),
)
TERMS.add(
    N_("training step"), N_("one batch of sequences, its gradient, and one change of all weights by the optimiser")
)
TERMS.add(N_("chance level"), N_("the loss of the best guess that does not read the input"))
TERMS.add(
    N_("target"),
    N_("the loss that counts as learnt: a share of the chance level, as the mean of 20 training steps"),
)
TERMS.add(N_("solved"), N_("the loss of a network that solves the problem"))
