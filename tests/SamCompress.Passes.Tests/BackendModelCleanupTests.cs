using SamCompress.IR;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.Passes.Tests;

/// <summary>Every operator in every form meets the cleanup passes; the pipeline checks the graph after each.</summary>
public sealed class BackendModelCleanupTests(ITestOutputHelper output)
{
    [BackendModelsFact]
    public void Every_backend_model_is_cleaned_for_good()
    {
        var wrong = new List<string>();
        int changed = 0;
        foreach (string path in BackendModels.Paths)
        {
            using Model model = OnnxReader.Read(path);
            string[] interfaceBefore = Interface(model);
            IReadOnlyList<PassRecord> records = new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context());
            changed += records.Any(r => r.Changes > 0) ? 1 : 0;
            if (!interfaceBefore.SequenceEqual(Interface(model)))
                wrong.Add($"{path}: inputs or outputs have other names");
            PassRecord? again = new PassPipeline(StandardPipeline.Cleanup).Run(model, PassCheck.Context()).FirstOrDefault(r => r.Changes > 0);
            if (again is not null)
                wrong.Add($"{path}: {again} in the second run");
        }

        output.WriteLine($"{BackendModels.Paths.Count} models, {changed} of them changed");
        Assert.Empty(wrong);
    }

    private static string[] Interface(Model model) => [.. model.Graph.Inputs.Concat(model.Graph.Outputs).Select(v => v.Name)];
}
