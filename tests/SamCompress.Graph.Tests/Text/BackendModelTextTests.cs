using SamCompress.IR.Text;

namespace SamCompress.IR.Tests.Text;

/// <summary>The ONNX backend test models of Debian's libonnx-testdata, printed and parsed back.</summary>
public sealed class BackendModelTextTests
{
    private const string Folder = "/usr/share/libonnx-testdata/data";

    [Fact]
    public void Every_backend_model_is_equal_after_printing_and_parsing()
    {
        var different = new List<string>();
        int count = 0;
        foreach (string path in Directory.EnumerateFiles(Folder, "model.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            count++;
            try
            {
                using Model model = OnnxReader.Read(path);
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

        Assert.Equal((1072, ""), (count, string.Join('\n', different)));
    }
}
