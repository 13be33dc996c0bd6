using SamCompress.IR;
using SamCompress.Runtime.Training;

namespace SamCompress.Runtime.Tests.Training;

public sealed class TrainingCheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("samcompress").FullName;

    private string File => Path.Combine(_folder, "run.checkpoint");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_written_is_read()
    {
        Sample().Write(File);
        var read = TrainingCheckpoint.Read(File, "abc");
        Assert.Equal(17, read.Pictures);
        Assert.Equal([new Validation(4, 0.1), new Validation(8, 1 / 3.0)], read.Validations);
        Assert.Equal(["b:FirstMoment", "w:Weight"], read.State.Keys.Order());
        Assert.Equal(Enumerable.Range(0, 600).Select(i => (float)i), read.State["w:Weight"].ToArray<float>());
        Assert.Equal([20L, 30L], [.. read.State["w:Weight"].Dimensions]);
        Assert.Equal([4f, 5f], read.Best["b"].ToArray<float>());
        byte[] first = System.IO.File.ReadAllBytes(File);
        read.Write(File);
        Assert.Equal(first, System.IO.File.ReadAllBytes(File));
        Assert.Equal([File], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_checkpoint_of_another_run_is_refused()
    {
        Sample().Write(File);
        SamCompressException e = Assert.Throws<SamCompressException>(() => TrainingCheckpoint.Read(File, "abd"));
        Assert.Equal((FailureKind.InputRejected, "the checkpoint is of another model, other pictures or other options"), (e.Kind, e.Message));
    }

    [Fact]
    public void A_checkpoint_that_was_cut_is_refused_at_every_length()
    {
        Sample().Write(File);
        byte[] whole = System.IO.File.ReadAllBytes(File);
        for (int length = 0; length < whole.Length; length += length < 64 || length > whole.Length - 300 ? 1 : 97)
        {
            System.IO.File.WriteAllBytes(File, whole[..length]);
            SamCompressException e = Assert.Throws<SamCompressException>(() => TrainingCheckpoint.Read(File, "abc"));
            Assert.Equal(FailureKind.InputRejected, e.Kind);
            Assert.StartsWith("no whole checkpoint: ", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_a_killed_run_left_does_no_harm_and_a_link_is_not_written_through()
    {
        string victim = Path.Combine(_folder, "victim");
        System.IO.File.WriteAllText(victim, "untouched");
        System.IO.File.CreateSymbolicLink(File + ".partial", victim);
        Sample().Write(File);
        Assert.Equal(17, TrainingCheckpoint.Read(File, "abc").Pictures);
        Assert.Equal("untouched", System.IO.File.ReadAllText(victim));
        Assert.False(System.IO.File.Exists(File + ".partial"));
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_an_error_of_output()
    {
        SamCompressException e = Assert.Throws<SamCompressException>(() => Sample().Write(Path.Combine(_folder, "missing", "run.checkpoint")));
        Assert.Equal(FailureKind.Output, e.Kind);
    }

    private static TrainingCheckpoint Sample() => new()
    {
        Identity = "abc",
        Pictures = 17,
        Validations = [new Validation(4, 0.1), new Validation(8, 1 / 3.0)],
        State = new Dictionary<string, Tensor>
        {
            ["w:Weight"] = Tensor.Of([.. Enumerable.Range(0, 600).Select(i => (float)i)], 20, 30),
            ["b:FirstMoment"] = Tensor.Of([1f, 2f], 2),
        },
        Best = new Dictionary<string, Tensor> { ["b"] = Tensor.Of([4f, 5f], 2) },
    };
}
