using SamCompress.Runtime.Images;

namespace SamCompress.Runtime.Tests.Images;

public sealed class ImageSetTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("samcompress-tests-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Lists_the_pictures_of_a_folder_in_ordinal_order()
    {
        Touch("b.JPG", "a.png", "Z.jpeg", "sub/c.jpg", "notes.txt", "a.objects.png", ".hidden.png");
        Assert.Equal(["Z.jpeg", "a.png", "b.JPG", "sub/c.jpg"], Names(ImageSet.Open(_directory.FullName)));
    }

    [Fact]
    public void Lists_what_a_pattern_matches()
    {
        Touch("scene_1.jpg", "scene_2.jpg", "other.jpg");
        Assert.Equal(["scene_1.jpg", "scene_2.jpg"], Names(ImageSet.Open(Path.Combine(_directory.FullName, "scene_?.jpg"))));
    }

    [Fact]
    public void Reads_a_list_in_its_own_order()
    {
        Touch("a.png", "b.png");
        string list = Path.Combine(_directory.FullName, "list.txt");
        File.WriteAllText(list, "# two\nb.png\n\n  a.png\r\n");
        Assert.Equal(["b.png", "a.png"], Names(ImageSet.Open(list)));
        File.WriteAllText(list, "c.png\n");
        Assert.Contains("c.png", Rejected(list).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_one_picture()
    {
        Touch("a.png");
        Assert.Equal(["a.png"], Names(ImageSet.Open(Path.Combine(_directory.FullName, "a.png"))));
    }

    [Fact]
    public void Rejects_an_empty_folder_and_one_without_pictures()
    {
        Assert.Contains("no picture", Rejected(_directory.FullName).Message, StringComparison.Ordinal);
        Touch("notes.txt");
        Assert.Contains("no picture", Rejected(_directory.FullName).Message, StringComparison.Ordinal);
        Assert.Contains("not found", Rejected(Path.Combine(_directory.FullName, "missing")).Message, StringComparison.Ordinal);
        Assert.Contains("not found", Rejected(Path.Combine(_directory.FullName, "missing", "*.jpg")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Splits_evenly_and_without_overlap()
    {
        ImageSet set = ImageSet.Of(Enumerable.Range(0, 10).Select(i => $"{i}"));
        (ImageSet calibration, ImageSet validation) = set.Split(5, 3);
        Assert.Equal(["0", "2", "4", "6", "8"], calibration.Paths);
        Assert.Equal(["1", "3", "7"], validation.Paths);
    }

    [Fact]
    public void Leaves_fewer_for_validation_when_there_are_no_more()
    {
        (ImageSet calibration, ImageSet validation) = ImageSet.Of(["a", "b", "c"]).Split(2, 5);
        Assert.Equal(["a", "b"], calibration.Paths);
        Assert.Equal(["c"], validation.Paths);
    }

    [Fact]
    public void Rejects_fewer_pictures_than_samples_unless_allowed()
    {
        ImageSet set = ImageSet.Of(["a", "b"]);
        Assert.Equal(FailureKind.InputRejected, Assert.Throws<SamCompressException>(() => set.Split(3, 0)).Kind);
        Assert.Equal(2, set.Split(3, 0, allowFewer: true).Calibration.Paths.Count);
    }

    private static SamCompressException Rejected(string source)
    {
        var e = Assert.Throws<SamCompressException>(() => ImageSet.Open(source));
        Assert.Equal(FailureKind.InputRejected, e.Kind);
        return e;
    }

    private void Touch(params string[] names)
    {
        foreach (string name in names)
        {
            string path = Path.Combine(_directory.FullName, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, [1]);
        }
    }

    private IEnumerable<string> Names(ImageSet set) => set.Paths.Select(p => Path.GetRelativePath(_directory.FullName, p).Replace('\\', '/'));
}
