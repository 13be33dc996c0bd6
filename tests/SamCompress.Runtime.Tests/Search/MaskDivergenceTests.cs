using SamCompress.Runtime.Search;

namespace SamCompress.Runtime.Tests.Search;

public sealed class MaskDivergenceTests
{
    /// <summary>
    /// Logits 0 and log 3 are p = 1/2 and q = 3/4: log(2/3) / 2 + log 2 / 2 = 0.143841. The other way round 3/4 log(3/2) + 1/4 log(1/2) = 0.130812.
    /// </summary>
    [Fact]
    public void Divergence_is_that_of_two_coins()
    {
        float third = MathF.Log(3);
        Assert.Equal(0.5 * Math.Log(4.0 / 3), MaskDivergence.Divergence([0], [third]), 1e-7);
        Assert.Equal(0.130812, MaskDivergence.Divergence([third], [0]), 1e-6);
        Assert.Equal((0.143841 + 0.130812) / 4, MaskDivergence.Divergence([0, third, 5, -7], [third, 0, 5, -7]), 1e-6);
    }

    [Fact]
    public void Equal_logits_have_none() =>
        Assert.Equal(0, MaskDivergence.Divergence([0, 1, -30, 30, 1000, -1000], [0, 1, -30, 30, 1000, -1000]));

    /// <summary>A certain coin called the other way costs its logit; a fair one that is called certain half of it, less log 2.</summary>
    [Fact]
    public void Logits_of_any_size_give_a_finite_number()
    {
        Assert.Equal(1000, MaskDivergence.Divergence([1000], [-1000]), 1e-9);
        Assert.Equal(1000, MaskDivergence.Divergence([-1000], [1000]), 1e-9);
        Assert.Equal(500 - Math.Log(2), MaskDivergence.Divergence([0], [1000]), 1e-9);
        Assert.Equal(Math.Log(2), MaskDivergence.Divergence([1000], [0]), 1e-9);
    }

    /// <summary>For a small step e from p the divergence is p (1 - p) e^2 / 2.</summary>
    [Fact]
    public void Small_steps_count_squared() =>
        Assert.Equal(0.25 * 0.01 * 0.01 / 2, MaskDivergence.Divergence([0], [0.01f]), 1e-8);
}
