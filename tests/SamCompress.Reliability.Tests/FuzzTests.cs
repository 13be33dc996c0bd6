using SamCompress.Fuzz;

namespace SamCompress.Reliability.Tests;

/// <summary>A short run of the fuzzer from a fixed seed; <c>eng/reliability.sh</c> makes the long one.</summary>
public sealed class FuzzTests
{
    private const int CasesOfEachTarget = 200;

    [Fact]
    public void Damaged_inputs_of_a_fixed_seed_find_nothing()
    {
        using var found = new StringWriter();

        (IReadOnlyDictionary<string, long> cases, IReadOnlyList<Finding> findings, _) =
            new FuzzDriver(found).Run(FuzzTarget.All, new FuzzBudget(TimeSpan.FromMinutes(5), FuzzTarget.All.Count * CasesOfEachTarget), seed: 20);

        Assert.True(findings.Count == 0, found.ToString());
        Assert.All(cases, c => Assert.Equal(CasesOfEachTarget, c.Value));
    }
}
