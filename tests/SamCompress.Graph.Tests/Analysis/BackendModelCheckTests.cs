using SamCompress.IR.Analysis;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.IR.Tests.Analysis;

public sealed class BackendModelCheckTests(ITestOutputHelper output)
{
    [BackendModelsFact]
    public void Every_backend_model_is_accepted_without_a_finding()
    {
        var found = new List<string>();
        foreach (string path in BackendModels.Paths)
        {
            using Model model = OnnxReader.Read(path);
            found.AddRange(GraphChecker.Check(model).Select(d => $"{path}: {d}"));
        }

        output.WriteLine($"{BackendModels.Paths.Count} models, {found.Count} findings");
        Assert.Empty(found);
        Assert.InRange(BackendModels.Paths.Count, BackendModels.KnownCount, int.MaxValue);
    }
}
