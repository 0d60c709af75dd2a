//! Sample pictures, drawn with a few shapes and big-pixel letters.

use image::{Rgb, RgbImage};

pub(crate) const WIDTH: u32 = 1080;
pub(crate) const HEIGHT: u32 = 1920;

pub(crate) type Colour = [u8; 3];

/// Five columns by seven rows, a bit a pixel.
const LETTERS: [(char, [u8; 7]); 29] = [
    ('A', [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
    ('B', [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e]),
    ('C', [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e]),
    ('D', [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e]),
    ('E', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f]),
    ('F', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10]),
    ('G', [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f]),
    ('H', [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11]),
    ('I', [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('J', [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c]),
    ('K', [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11]),
    ('L', [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f]),
    ('M', [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11]),
    ('N', [0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11]),
    ('O', [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e]),
    ('P', [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10]),
    ('Q', [0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d]),
    ('R', [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11]),
    ('S', [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e]),
    ('T', [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04]),
    ('U', [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e]),
    ('V', [0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04]),
    ('W', [0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0a]),
    ('X', [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11]),
    ('Y', [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04]),
    ('Z', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f]),
    ('!', [0x04, 0x04, 0x04, 0x04, 0x04, 0x00, 0x04]),
    ('?', [0x0e, 0x11, 0x01, 0x02, 0x04, 0x00, 0x04]),
    ('.', [0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c]),
];

/// A canvas to draw on, from the top left.
pub(crate) struct Canvas(pub(crate) RgbImage);

impl Canvas {
    /// A vertical gradient.
    pub(crate) fn new(top: Colour, bottom: Colour) -> Self {
        let mut image = RgbImage::new(WIDTH, HEIGHT);
        for (_, y, pixel) in image.enumerate_pixels_mut() {
            *pixel = Rgb(blend(top, bottom, y as f32 / HEIGHT as f32));
        }
        Self(image)
    }

    /// A ring; one with no hole is a disc.
    pub(crate) fn ring(&mut self, (x, y): (i32, i32), outer: i32, inner: i32, colour: Colour) {
        for py in (y - outer - 1)..=(y + outer + 1) {
            for px in (x - outer - 1)..=(x + outer + 1) {
                let away = (((px - x).pow(2) + (py - y).pow(2)) as f32).sqrt();
                let cover = (outer as f32 - away).min(away - inner as f32 + 1.0);
                self.mix(px, py, colour, cover.clamp(0.0, 1.0));
            }
        }
    }

    pub(crate) fn disc(&mut self, centre: (i32, i32), radius: i32, colour: Colour) {
        self.ring(centre, radius, -1, colour);
    }

    pub(crate) fn bar(&mut self, (x, y): (i32, i32), (width, height): (i32, i32), colour: Colour) {
        for py in y..y + height {
            for px in x..x + width {
                self.mix(px, py, colour, 1.0);
            }
        }
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, points: &[(i32, i32)], colour: Colour) {
        let low = points.iter().map(|point| point.1).min().unwrap_or(0);
        let high = points.iter().map(|point| point.1).max().unwrap_or(0);
        for y in low..=high {
            let mut crossings: Vec<i32> = Vec::new();
            for (number, &(ax, ay)) in points.iter().enumerate() {
                let (bx, by) = points[(number + 1) % points.len()];
                if (ay <= y) != (by <= y) {
                    crossings.push(ax + (y - ay) * (bx - ax) / (by - ay));
                }
            }
            crossings.sort_unstable();
            for pair in crossings.chunks_exact(2) {
                self.bar((pair[0], y), (pair[1] - pair[0], 1), colour);
            }
        }
    }

    /// A line of capitals in the middle of the width, a letter pixel being `cell` wide.
    pub(crate) fn write(&mut self, text: &str, y: i32, cell: i32, colour: Colour) {
        let width = (text.chars().count() as i32 * 6 - 1) * cell;
        let mut x = (WIDTH as i32 - width) / 2;
        for letter in text.chars() {
            let rows = LETTERS.iter().find(|(known, _)| *known == letter);
            for (row, bits) in rows.map_or([0; 7], |(_, rows)| *rows).iter().enumerate() {
                for column in 0..5 {
                    if bits >> (4 - column) & 1 == 1 {
                        let corner = (x + column * cell, y + row as i32 * cell);
                        self.bar(corner, (cell, cell), colour);
                    }
                }
            }
            x += 6 * cell;
        }
    }

    fn mix(&mut self, x: i32, y: i32, colour: Colour, cover: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if cover > 0.0 && x < WIDTH && y < HEIGHT {
            let pixel = self.0.get_pixel_mut(x, y);
            pixel.0 = blend(pixel.0, colour, cover);
        }
    }
}

fn blend(from: Colour, to: Colour, share: f32) -> Colour {
    std::array::from_fn(|n| (f32::from(from[n]) * (1.0 - share) + f32::from(to[n]) * share) as u8)
}

const INK: Colour = [32, 30, 48];
const CREAM: Colour = [255, 247, 232];
const WHITE: Colour = [255, 255, 255];

/// A file of the sample library: its path in the library and its drawing.
pub(crate) type Sample = (&'static str, fn() -> Canvas);

pub(crate) const SAMPLES: [Sample; 8] = [
    ("memes/monday-again.jpg", monday),
    ("memes/works-on-my-machine.jpg", machine),
    ("memes/deploy-on-friday.png", friday),
    ("merch/tshirt__https-shop-example-com-tshirt.jpg", shirt),
    ("merch/mug.jpg", mug),
    ("merch/tote-bag.jpg", tote),
    ("quotes/small-steps.jpg", steps),
    ("quotes/be-kind.jpg", kind),
];

fn monday() -> Canvas {
    let mut canvas = Canvas::new([91, 108, 204], [226, 135, 176]);
    canvas.write("MONDAY", 300, 24, CREAM);
    let (x, y, face) = (540, 1000, [255, 206, 84]);
    canvas.disc((x + 12, y + 26), 330, [70, 62, 132]);
    canvas.disc((x, y), 330, face);
    for eye in [x - 120, x + 120] {
        canvas.disc((eye, y - 60), 62, WHITE);
        canvas.disc((eye, y - 36), 34, INK);
        canvas.bar((eye - 70, y - 134), (140, 74), face);
        canvas.bar((eye - 62, y - 66), (124, 12), INK);
    }
    canvas.bar((x - 110, y + 140), (220, 22), INK);
    canvas.write("AGAIN?", 1510, 24, CREAM);
    canvas
}

fn machine() -> Canvas {
    let mut canvas = Canvas::new([18, 60, 72], [26, 138, 122]);
    canvas.write("IT WORKS", 270, 20, CREAM);
    canvas.bar((170, 620), (740, 520), INK);
    canvas.bar((200, 650), (680, 440), [106, 226, 178]);
    canvas.bar((470, 1140), (140, 110), INK);
    canvas.bar((330, 1240), (420, 36), INK);
    for (row, width) in [300, 460, 220, 380].into_iter().enumerate() {
        let y = 700 + row as i32 * 92;
        canvas.bar((250, y), (width, 34), [24, 104, 92]);
    }
    canvas.write("ON MY", 1430, 20, CREAM);
    canvas.write("MACHINE", 1610, 20, CREAM);
    canvas
}

fn friday() -> Canvas {
    let mut canvas = Canvas::new([255, 179, 71], [214, 52, 71]);
    canvas.write("DEPLOY", 280, 24, WHITE);
    for (number, radius) in [360, 290, 220, 150, 80].into_iter().enumerate() {
        let colour = if number % 2 == 0 {
            CREAM
        } else {
            [214, 52, 71]
        };
        canvas.disc((540, 980), radius, colour);
    }
    canvas.polygon(&[(540, 980), (820, 640), (850, 668)], INK);
    canvas.polygon(&[(810, 600), (900, 560), (890, 700), (840, 690)], INK);
    canvas.write("FRIDAY!", 1520, 22, WHITE);
    canvas
}

fn shirt() -> Canvas {
    let mut canvas = Canvas::new([244, 232, 214], [230, 196, 168]);
    let cloth = [38, 70, 120];
    canvas.polygon(
        &[
            (390, 560),
            (690, 560),
            (920, 700),
            (830, 880),
            (740, 820),
            (740, 1340),
            (340, 1340),
            (340, 820),
            (250, 880),
            (160, 700),
        ],
        cloth,
    );
    canvas.disc((540, 556), 92, [238, 220, 198]);
    canvas.disc((540, 960), 120, [255, 206, 84]);
    canvas.polygon(&[(540, 880), (610, 1010), (470, 1010)], cloth);
    canvas.write("SUMMER", 240, 24, cloth);
    canvas.write("TEE", 1500, 34, cloth);
    canvas
}

fn mug() -> Canvas {
    let mut canvas = Canvas::new([120, 88, 160], [240, 160, 150]);
    for (x, y) in [(430, 560), (530, 500), (630, 560)] {
        canvas.disc((x, y), 34, [222, 196, 226]);
        canvas.disc((x + 20, y - 80), 26, [206, 176, 216]);
        canvas.disc((x - 6, y - 150), 18, [190, 158, 206]);
    }
    canvas.ring((770, 960), 170, 110, CREAM);
    canvas.bar((310, 680), (460, 560), CREAM);
    canvas.disc((370, 1240), 60, CREAM);
    canvas.disc((710, 1240), 60, CREAM);
    canvas.bar((370, 1240), (340, 60), CREAM);
    canvas.disc((480, 930), 74, [226, 84, 96]);
    canvas.disc((600, 930), 74, [226, 84, 96]);
    canvas.polygon(&[(414, 966), (666, 966), (540, 1110)], [226, 84, 96]);
    canvas.write("COFFEE", 1480, 24, WHITE);
    canvas
}

fn tote() -> Canvas {
    let mut canvas = Canvas::new([196, 224, 204], [122, 176, 160]);
    canvas.ring((540, 700), 210, 172, [176, 122, 78]);
    canvas.polygon(&[(260, 720), (820, 720), (880, 1340), (200, 1340)], CREAM);
    for number in 0..4 {
        let y = 840 + number * 110;
        canvas.bar(
            (330, y),
            (420, 52),
            [
                [226, 84, 96],
                [255, 179, 71],
                [86, 164, 120],
                [64, 110, 180],
            ][number as usize],
        );
    }
    canvas.write("CARRY", 260, 28, [36, 76, 66]);
    canvas.write("ON", 1490, 36, [36, 76, 66]);
    canvas
}

fn steps() -> Canvas {
    let mut canvas = Canvas::new([24, 30, 66], [98, 74, 140]);
    canvas.disc((800, 420), 150, [255, 236, 190]);
    for step in 0..6 {
        let colour = blend([255, 179, 71], [226, 84, 130], step as f32 / 5.0);
        let height = 160 + step * 110;
        canvas.bar(
            (120 + step * 140, 1920 - height - 420),
            (140, height),
            colour,
        );
    }
    canvas.bar((0, 1500), (1080, 420), [20, 22, 52]);
    canvas.write("SMALL", 1570, 18, CREAM);
    canvas.write("STEPS COUNT", 1730, 14, CREAM);
    canvas
}

fn kind() -> Canvas {
    let mut canvas = Canvas::new([255, 224, 150], [240, 120, 110]);
    for ray in 0..12 {
        let angle = ray as f32 * std::f32::consts::PI / 6.0;
        let at = |angle: f32, away: f32| {
            (
                540 + (angle.cos() * away) as i32,
                900 + (angle.sin() * away) as i32,
            )
        };
        canvas.polygon(
            &[
                at(angle - 0.1, 340.0),
                at(angle + 0.1, 340.0),
                at(angle, 480.0),
            ],
            CREAM,
        );
    }
    canvas.disc((540, 900), 300, CREAM);
    canvas.disc((430, 840), 30, INK);
    canvas.disc((650, 840), 30, INK);
    canvas.ring((540, 920), 150, 124, INK);
    canvas.bar((380, 760), (320, 184), CREAM);
    canvas.disc((430, 840), 30, INK);
    canvas.disc((650, 840), 30, INK);
    canvas.write("BE KIND", 1500, 22, [120, 40, 60]);
    canvas
}
