using SamCompress.IR.Text;
using SamCompress.Testing;
using Xunit.Abstractions;

namespace SamCompress.IR.Tests.Text;

public sealed class BackendModelTextTests(ITestOutputHelper output)
{
    [BackendModelsFact]
    public void Every_backend_model_is_equal_after_printing_and_parsing()
    {
        var different = new List<string>();
        int nodes = 0;
        foreach (string path in BackendModels.Paths)
        {
            try
            {
                using Model model = OnnxReader.Read(path);
                nodes += model.AllGraphs().Sum(g => g.Nodes.Count);
                string text = GraphPrinter.Print(model);
                using Model parsed = GraphParser.ParseModel(text);
                if (ModelComparison.Difference(model, parsed) is { } difference)
                    different.Add($"{path}: {difference}");
                else if (GraphPrinter.Print(parsed) != text)
                    different.Add($"{path}: the text differs");
            }
            catch (SamCompressException e)
            {
                different.Add($"{path}: {e.Message}");
            }
        }

        output.WriteLine($"{BackendModels.Paths.Count} models with {nodes} nodes, {different.Count} different");
        Assert.Empty(different);
        Assert.InRange(BackendModels.Paths.Count, BackendModels.KnownCount, int.MaxValue);
    }

    [BackendModelsFact]
    public void Every_backend_model_can_be_printed_in_short()
    {
        foreach (string path in BackendModels.Paths)
        {
            using Model model = OnnxReader.Read(path);
            Assert.NotEmpty(GraphPrinter.Print(model, PrintOptions.Readable with { MaxElements = 1 }));
        }
    }
}
