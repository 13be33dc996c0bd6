using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Tests.Jobs;

public sealed class ArtifactWriterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Commit_moves_everything_into_place_and_leaves_no_stage()
    {
        using (ArtifactWriter writer = Begin())
        {
            File.WriteAllText(writer.StagePath("m.onnx"), "model");
            File.WriteAllText(writer.StagePath("m.onnx.data"), "data");

            Assert.Equal([_directory.File("m.onnx"), _directory.File("m.onnx.data")], writer.Commit());
        }

        Assert.Equal(["m.onnx", "m.onnx.data"], _directory.Names);
        Assert.Equal("model", File.ReadAllText(_directory.File("m.onnx")));
    }

    [Fact]
    public void Without_commit_nothing_is_left_and_nothing_is_changed()
    {
        _directory.Write("m.onnx", "old");
        using (ArtifactWriter writer = Begin(overwrite: true))
            File.WriteAllText(writer.StagePath("m.onnx"), "new");

        Assert.Equal(["m.onnx"], _directory.Names);
        Assert.Equal("old", File.ReadAllText(_directory.File("m.onnx")));
    }

    /// <summary>A run that was killed between the renames: the data file is the new one already, the model still the old one.</summary>
    [Fact]
    public void A_commit_that_was_cut_off_is_finished_by_the_next_run()
    {
        _directory.Write("m.onnx", "old model");
        _directory.Write("m.onnx.data", "new data");
        string stage = Directory.CreateDirectory(_directory.File(".m.onnx.samcompress-stage")).FullName;
        foreach ((string name, string text) in new[] { (".lock", ""), (".owner", "1"), (".commit", ""), ("m.onnx", "new model") })
            File.WriteAllText(Path.Combine(stage, name), text);

        ArtifactWriter.Begin(_directory.File("other.onnx"), [], false, []).Dispose();

        Assert.Equal(["m.onnx", "m.onnx.data"], _directory.Names);
        Assert.Equal("new model", File.ReadAllText(_directory.File("m.onnx")));
    }

    [Theory]
    [InlineData("m.onnx")]
    [InlineData("m.onnx.data")]
    public void An_existing_file_is_refused_before_the_work(string existing)
    {
        _directory.Write(existing, "old");

        var e = Assert.Throws<SamCompressException>(() => Begin());

        Assert.Equal(FailureKind.Output, e.Kind);
        Assert.Equal(_directory.File(existing), e.Location);
        Assert.Equal([existing], _directory.Names);
    }

    [Fact]
    public void Overwriting_replaces_the_old_files()
    {
        _directory.Write("m.onnx", "old");
        using (ArtifactWriter writer = Begin(overwrite: true))
        {
            File.WriteAllText(writer.StagePath("m.onnx"), "new");
            writer.Commit();
        }

        Assert.Equal("new", File.ReadAllText(_directory.File("m.onnx")));
    }

    [Fact]
    public void Overwriting_replaces_a_link_and_not_the_file_it_points_to()
    {
        string victim = _directory.Write("victim", "precious");
        File.CreateSymbolicLink(_directory.File("m.onnx"), victim);
        using (ArtifactWriter writer = Begin(overwrite: true))
        {
            File.WriteAllText(writer.StagePath("m.onnx"), "new");
            writer.Commit();
        }

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.Null(new FileInfo(_directory.File("m.onnx")).LinkTarget);
    }

    [Fact]
    public void A_dangling_link_counts_as_an_existing_output()
    {
        File.CreateSymbolicLink(_directory.File("m.onnx"), _directory.File("nowhere"));

        Assert.Equal(FailureKind.Output, Assert.Throws<SamCompressException>(() => Begin()).Kind);
    }

    [Fact]
    public void An_input_is_never_an_output_not_even_through_a_link()
    {
        string input = _directory.Write("input.onnx", "precious");
        File.CreateSymbolicLink(_directory.File("m.onnx"), input);

        Assert.Equal(FailureKind.Usage, Assert.Throws<SamCompressException>(() => Begin(overwrite: true, inputs: input)).Kind);
        Assert.Equal("precious", File.ReadAllText(input));
    }

    [Fact]
    public void A_second_run_to_the_same_output_is_told_who_holds_it()
    {
        using ArtifactWriter first = Begin();

        var e = Assert.Throws<SamCompressException>(() => Begin());

        Assert.Equal(FailureKind.Output, e.Kind);
        Assert.Contains($"process {Environment.ProcessId}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_run_left_is_swept_by_the_next_run()
    {
        string dead = Directory.CreateDirectory(_directory.File(".other.onnx.samcompress-stage")).FullName;
        File.WriteAllText(Path.Combine(dead, ".lock"), "");
        File.WriteAllText(Path.Combine(dead, "other.onnx"), "half");

        Begin().Dispose();

        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void A_missing_directory_is_made_and_goes_again_without_an_artifact()
    {
        using (ArtifactWriter.Begin(_directory.File("a/b/m.onnx"), [], overwrite: false, []))
            Assert.True(Directory.Exists(_directory.File("a/b")));

        Assert.Empty(_directory.Names);
    }

    [Fact]
    public void A_directory_that_is_a_file_is_refused()
    {
        _directory.Write("a", "file");

        Assert.Equal(FailureKind.Output, Assert.Throws<SamCompressException>(() => ArtifactWriter.Begin(_directory.File("a/m.onnx"), [], overwrite: false, [])).Kind);
    }

    [Fact]
    public void A_full_disk_names_the_output_and_keeps_the_old_file()
    {
        _directory.Write("m.onnx", "old");
        using ArtifactWriter writer = Begin(overwrite: true);

        var e = Assert.Throws<SamCompressException>(() => writer.Write<int>(() => throw new IOException("No space left on device")));

        Assert.Equal(FailureKind.Output, e.Kind);
        Assert.Equal(_directory.File("m.onnx"), e.Location);
        Assert.Equal("old", File.ReadAllText(_directory.File("m.onnx")));
    }

    private ArtifactWriter Begin(bool overwrite = false, params string[] inputs) =>
        ArtifactWriter.Begin(_directory.File("m.onnx"), ["m.onnx.data"], overwrite, inputs);
}
