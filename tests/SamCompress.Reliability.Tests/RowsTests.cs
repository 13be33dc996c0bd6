using System.Reflection;

namespace SamCompress.Reliability.Tests;

public sealed class RowsTests
{
    [Fact]
    public void Every_row_has_an_attack_or_a_test_in_a_process_of_its_own()
    {
        HashSet<string> attacked = [.. Attack.All.Select(a => a.Row), .. InProcesses()];

        Assert.Empty(Rows.All.Select(r => r.Id).Except(attacked));
        Assert.Empty(attacked.Except(Rows.All.Select(r => r.Id)));
        Assert.All(Rows.All.Where(r => r.Elsewhere is not null), r => Assert.Contains(r.Id, InProcesses()));
    }

    [Fact]
    public void No_row_and_no_attack_is_there_twice()
    {
        Assert.Equal(Rows.All.Count, Rows.All.Select(r => r.Id).Distinct().Count());
        Assert.Equal(Attack.All.Count, Attack.All.Select(a => a.ToString()).Distinct().Count());
    }

    private static IEnumerable<string> InProcesses() =>
        typeof(ProcessTests).GetMethods().SelectMany(m => m.GetCustomAttributes<RowAttribute>()).Select(a => a.Id);
}
