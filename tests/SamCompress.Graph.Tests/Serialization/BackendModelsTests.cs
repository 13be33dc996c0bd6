using SamCompress.Testing;

namespace SamCompress.IR.Tests.Serialization;

public sealed class BackendModelsTests
{
    [BackendModelsFact]
    public void Every_backend_model_is_serialized_to_the_bytes_it_was_read_from()
    {
        var different = new List<string>();
        int count = 0;
        foreach (string path in BackendModels.Paths)
        {
            count++;
            try
            {
                using Model model = OnnxReader.Read(path);
                if (!OnnxWriter.Serialize(model).AsSpan().SequenceEqual(File.ReadAllBytes(path)))
                    different.Add(path);
            }
            catch (Exception e)
            {
                different.Add(path + " " + e.Message);
            }
        }

        Assert.Equal((1072, ""), (count, string.Join('\n', different)));
    }
}
