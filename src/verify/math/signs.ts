// The tables behind clean.ts: signs of Unicode in LaTeX, and commands with several names. Pairs are parted by two blanks.

function pairs(table: string): ReadonlyMap<string, string> {
  const cells = table.trim().split(/\s{2,}/);
  return new Map(cells.map((cell) => cell.split(' ') as [string, string]));
}

/** Vulgar fractions. */
export const fractions = pairs(`
  ½ 1/2  ⅓ 1/3  ⅔ 2/3  ¼ 1/4  ¾ 3/4  ⅕ 1/5  ⅖ 2/5  ⅗ 3/5  ⅘ 4/5  ⅙ 1/6  ⅚ 5/6  ⅐ 1/7  ⅛ 1/8
  ⅜ 3/8  ⅝ 5/8  ⅞ 7/8  ⅑ 1/9  ⅒ 1/10
`);

/** Mathematical signs, brackets, Greek letters and typographic variants, in LaTeX. A command needs a blank behind it. */
export const signs = pairs(String.raw`
  − -  – -  — -  ‐ -  ‑ -  ﹣ -  － -  ＋ +  × \times  ✕ \times  ⋅ \cdot  · \cdot  ∙ \cdot  • \cdot
  ∗ *  ÷ \div  ∕ /  ⁄ /  ± \pm  ∓ \mp  ≤ \le  ⩽ \le  ≦ \le  ≥ \ge  ⩾ \ge  ≧ \ge  ≠ \ne
  ≈ \approx  ≃ \approx  ≅ \approx  ≡ \equiv  ∞ \infty  ∪ \cup  ∩ \cap  ∈ \in  ∅ \emptyset
  ∖ \setminus  √ \sqrt  ∛ \sqrt[3]  ∜ \sqrt[4]  ° ^\circ  º ^\circ  ′ '  ’ '  ‘ '  ″ ''
  ℝ \mathbb{R}  ℤ \mathbb{Z}  ℕ \mathbb{N}  ℚ \mathbb{Q}  ℂ \mathbb{C}  ∨ \lor  ∧ \land
  ⟨ \langle  ⟩ \rangle  〈 \langle  〉 \rangle  ⌊ \lfloor  ⌋ \rfloor  ⌈ \lceil  ⌉ \rceil  ∑ \sum
  ∏ \prod  ∫ \int  → \to  ⇒ \Rightarrow  … \ldots  ∣ |  “ "  ” "  ¢ \cents  € \euro  £ \pound  ¥ \yen
  ￥ \yen  ₹ \rupee  ＄ $  ∠ \angle  △ \triangle  ϕ \phi  φ \phi  π \pi  𝜋 \pi  α \alpha  β \beta
  γ \gamma  δ \delta  ε \epsilon  ζ \zeta  η \eta  θ \theta  ι \iota  κ \kappa  λ \lambda  μ \mu
  µ \mu  ν \nu  ξ \xi  ρ \rho  σ \sigma  τ \tau  υ \upsilon  χ \chi  ψ \psi  ω \omega  Γ \Gamma
  Δ \Delta  Θ \Theta  Λ \Lambda  Ξ \Xi  Π \Pi  Σ \Sigma  Φ \Phi  Ψ \Psi  Ω \Omega
`);

/** Commands by another name; those that stand for a bare sign lose their backslash. */
export const synonyms = pairs(`
  overrightarrow vec  widehat hat  dfrac frac  tfrac frac  cfrac frac  sfrac frac  nicefrac frac  dbinom binom  tbinom binom
  choose choose  leq le  leqslant le  geq ge  geqslant ge  neq ne  lt <  gt >  ast cdot
  star cdot  bullet cdot  varnothing emptyset  O emptyset  infin infty  degree circ
  arcctg arccot  ctg cot  tg tan  arctg arctan  lg log  dots ldots  cdots ldots  dotsc ldots
  dotsb ldots  lbrace {  rbrace }  lbrack [  rbrack ]  lvert |  rvert |  vert |  Vert |  mid |
  backslash setminus  smallsetminus setminus  bigcup cup  bigcap cap  vee lor  wedge land
  cong approx  simeq approx  approxeq approx  thickapprox approx  varepsilon epsilon
  vartheta theta  varphi phi  varrho rho  varsigma sigma  implies Rightarrow  iff Rightarrow
  Leftrightarrow Rightarrow  textdollar $  dollar $  euro euro  texteuro euro  pounds pound
  textsterling pound  div div  colon :  lparen (  rparen )  textbackslash setminus  prime prime
  ohm Omega
`);
