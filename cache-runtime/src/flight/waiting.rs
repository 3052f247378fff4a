use std::task::Waker;

/// Who waits for a flight. Places are reused, so that callers who come and give up while it lasts don't make
/// the list longer.
#[derive(Default)]
pub(super) struct Waiting {
    places: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Waiting {
    /// Keeps the waker, at the place that its owner has or gets now, and gives back what stood there.
    pub(super) fn keep(&mut self, place: &mut Option<usize>, waker: Waker) -> Option<Waker> {
        if let Some(place) = *place {
            return self.places[place].replace(waker);
        }
        let free = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        *place = Some(free);
        self.places[free].replace(waker)
    }

    /// Gives the place up, and back what stood there.
    pub(super) fn leave(&mut self, place: usize) -> Option<Waker> {
        let left = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        Some(left)
    }

    pub(super) fn wake(self) {
        for waker in self.places.into_iter().flatten() {
            waker.wake();
        }
    }

    #[cfg(all(test, not(shuttle)))]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}
