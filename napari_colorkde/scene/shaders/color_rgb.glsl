// Red, green, blue: the place is the color. The texture's x is the last channel.
vec3 color_rgb(vec3 place, float value)
{
    return place.zyx;
}
